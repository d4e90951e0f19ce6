"""A machine put together in a few menus, for one that the catalogue does not have."""

from __future__ import annotations

from ipywidgets import Dropdown, HBox

from fabriclib import catalog
from fabriclib.machines import System, composed, port

_OWN, _NONE = "its own", "none"
_WIRINGS = {"pcie": "peer to peer", "staged": "through host memory"}
LINKS = {_OWN: {}, f"{_OWN}, no switch": {"wiring": "mesh"}} | {
    f"PCIe {generation}, {how}": {"link": f"pcie{generation}", "wiring": wiring}
    for generation in (5, 4, 3) for wiring, how in _WIRINGS.items()}
_MANY = [1, 2, 4, 6, 8, 10, 16, 32, 64, 72]


class OwnMachine(HBox):
    """Menus for the GPUs of a node, the links between them, and the adapters to the network."""

    def __init__(self):
        ports = {row["name"]: row["id"] for row in catalog.rows("ports")}
        style = {"description_width": "initial"}
        self._ports = {_NONE: ""} | ports
        self.gpu = Dropdown(options=sorted({row["gpu"] for row in catalog.rows("systems")}), value="H100", description="GPU",
                            style=style, layout={"width": "11em"})
        self.gpus = Dropdown(options=_MANY[1:], value=8, description="GPUs of a node", style=style, layout={"width": "13em"})
        self.links = Dropdown(options=list(LINKS), description="links between them", style=style, layout={"width": "22em"})
        self.nic = Dropdown(options=list(self._ports), value=port("ib-ndr").name, description="NIC", style=style,
                            layout={"width": "20em"})
        self.nics = Dropdown(options=_MANY, value=8, description="NICs of a node", style=style, layout={"width": "13em"})
        super().__init__([self.gpu, self.gpus, self.links, self.nic, self.nics],
                         layout={"flex_flow": "row wrap", "align_items": "center"})
        self.add_class("fl-own-machine")

    def machine(self) -> System:
        """Return the machine that the menus say; a ValueError where its parts do not fit."""
        network = self._ports[self.nic.value]
        return composed(self.gpu.value, self.gpus.value, port=network, ports=self.nics.value if network else None,
                        **LINKS[self.links.value])
