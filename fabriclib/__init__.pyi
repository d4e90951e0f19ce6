# The public names: what `import fabriclib` offers, and where lazy_loader finds it when it is first used.

from . import (
    catalog as catalog,
)
from . import (
    congestion as congestion,
)
from . import (
    copies as copies,
)
from . import (
    cxl as cxl,
)
from . import (
    diagnosis as diagnosis,
)
from . import (
    fec as fec,
)
from . import (
    flows as flows,
)
from . import (
    framing as framing,
)
from . import (
    ladder as ladder,
)
from . import (
    lanes as lanes,
)
from . import (
    measurements as measurements,
)
from . import (
    memory as memory,
)
from . import (
    nccl as nccl,
)
from . import (
    pcie as pcie,
)
from . import (
    signals as signals,
)
from . import (
    units as units,
)
from .cabling import Cable as Cable
from .cabling import cable as cable
from .cabling import cables as cables
from .collectives import (
    Algorithm as Algorithm,
)
from .collectives import (
    Best as Best,
)
from .collectives import (
    Counts as Counts,
)
from .collectives import (
    Level as Level,
)
from .collectives import (
    Schedule as Schedule,
)
from .collectives import (
    algbw as algbw,
)
from .collectives import (
    algorithms as algorithms,
)
from .collectives import (
    best as best,
)
from .collectives import (
    busbw as busbw,
)
from .collectives import (
    collective_time as collective_time,
)
from .collectives import (
    crossover as crossover,
)
from .collectives import (
    efficiency as efficiency,
)
from .collectives import (
    lower_bound as lower_bound,
)
from .collectives import (
    schedule as schedule,
)
from .diagnosis import compare as compare
from .figures import published as published
from .flows import Share as Share
from .flows import share as share
from .host_adapters import Adapter as Adapter
from .host_adapters import adapter as adapter
from .host_adapters import adapters as adapters
from .labs import lab as lab
from .labs import labs as labs
from .links import AlphaBeta as AlphaBeta
from .links import Link as Link
from .links import link as link
from .links import links as links
from .machines import (
    Launcher as Launcher,
)
from .machines import (
    Nic as Nic,
)
from .machines import (
    System as System,
)
from .machines import (
    launchers as launchers,
)
from .machines import (
    nic as nic,
)
from .machines import (
    system as system,
)
from .machines import (
    systems as systems,
)
from .measurements import read_measurements as read_measurements
from .memory import memory_mix as memory_mix
from .nccl import nccl_choice as nccl_choice
from .peers import p2p as p2p
from .prediction import Prediction as Prediction
from .prediction import predict as predict
from .switches import Switch as Switch
from .switches import switch as switch
from .switches import switches as switches
from .topology import (
    Design as Design,
)
from .topology import (
    Graph as Graph,
)
from .topology import (
    Part as Part,
)
from .topology import (
    designs as designs,
)
from .topology import (
    fabric as fabric,
)
from .topology import (
    fabric_counts as fabric_counts,
)
from .topology import (
    parts_list as parts_list,
)
from .topology import (
    path_class as path_class,
)
from .topology import (
    path_classes as path_classes,
)
from .topology import (
    server as server,
)
from .topology import (
    servers as servers,
)
from .topology import (
    tree as tree,
)

__version__: str
