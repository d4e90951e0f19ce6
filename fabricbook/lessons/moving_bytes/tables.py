"""What the texts of lesson "Moving bytes" quote: an H100's and an A100's NVLinks, all of them, in one direction."""

from fabriclib import units
from fabriclib.links import link

h100 = link("nvlink4").bundle(link("nvlink4").per_device)
a100 = link("nvlink3").bundle(link("nvlink3").per_device)
small = 64 * units.KiB
copied = 30 * units.GB
