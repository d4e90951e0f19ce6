"""Signals: what a channel of boards, connectors and cables loses, when it needs a retimer, and how far the eye still opens.

Losses are insertion losses in dB at the Nyquist frequency (half the symbol rate), where a fast pattern 0101... lives;
frequencies are Hz, lengths metres, voltages volts from peak to peak. Parts, budgets, channels and retimers are rows of data/.

The loss of a part grows with the frequency f as a sqrt(f) + b f: the skin of the copper, and the board's dielectric (H. Johnson
and M. Graham, High-Speed Signal Propagation, 2003). Two frequencies of each part, 8 and 16 GHz, give a and b.
"""

from __future__ import annotations

from .channels import STATED_AT, Part, Segment, Standard, boards, channel, losses, part, segment, standard
from .eyes import Eye, eye, receiver_noise, redriven
from .retimers import Device, Plan, at_least, by_board, device, devices, needed, place, reach, retimer_counts

__all__ = ["STATED_AT", "Device", "Eye", "Part", "Plan", "Segment", "Standard", "at_least", "boards", "by_board", "channel",
           "device", "devices", "eye", "losses", "needed", "part", "place", "reach", "receiver_noise", "redriven",
           "retimer_counts", "segment", "standard"]
