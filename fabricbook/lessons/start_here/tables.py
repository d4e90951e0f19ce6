"""What the texts of lesson "Start here" quote: an H100's NVLinks, all of them, in one direction, and what is trained."""

from fabriclib import catalog
from fabriclib.links import link

h100 = link("nvlink4").bundle(link("nvlink4").per_device)
llama_parameters = catalog.figure("llama3-parameters").value
llama_tokens = catalog.figure("llama3-tokens").value
gradient = 7e9 * 2
