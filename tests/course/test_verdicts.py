"""What a verdict says of its claim, worked out by hand."""

import re

from fabricbook.lessons import find


def test_the_verdict_on_rails_says_what_a_hand_counts():
    """32 of a leaf's 64 ports go down: 256 GPUs take 8 leaves and 4 spines, 3 ports a GPU; 16,384 take 512 leaves, 512 spines
    and 256 cores, 5 ports a GPU; two tiers end at 64 x 32. A 400 Gb/s port moves 49 GB/s, a seventh is 7.0."""
    verdict = find("verdicts", "k")
    assert verdict.ruling == "holds"
    for words in ("rails carry 256 GPUs with 12 switches and 16,384 with 1,280",
                  "each GPU keeps 49 GB/s from any half to the other",
                  "8,192 GPUs of NVIDIA's B300", "15,360 of Alibaba's HPN", "24,576 of Meta's",
                  "30,000 Kunlun cards",
                  "beyond 2,048 GPUs a third tier takes 5 switch ports a GPU instead of 3"):
        assert words in verdict.because()
    between_pods = float(re.search(r"([\d.]+) GB/s a GPU between pods", verdict.because())[1])
    assert 7.0 <= between_pods < 7.2  # 7 : 1 in whole ports: 28 up for 192 down
