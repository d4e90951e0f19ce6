# The public names: what `import fabriclib` offers, and where lazy_loader finds it when it is first used.

from . import (
    availability as availability,
    capstone as capstone,
    catalog as catalog,
    congestion as congestion,
    copies as copies,
    cxl as cxl,
    diagnosis as diagnosis,
    energy as energy,
    fec as fec,
    flows as flows,
    framing as framing,
    ladder as ladder,
    lanes as lanes,
    measurements as measurements,
    memory as memory,
    nccl as nccl,
    pcie as pcie,
    signals as signals,
    units as units,
    workloads as workloads,
)
from .availability import Uptime as Uptime, uptime as uptime
from .cabling import Cable as Cable, cable as cable, cables as cables
from .collectives import (
    Algorithm as Algorithm,
    Best as Best,
    Counts as Counts,
    Level as Level,
    Schedule as Schedule,
    algbw as algbw,
    algorithms as algorithms,
    best as best,
    busbw as busbw,
    collective_time as collective_time,
    crossover as crossover,
    efficiency as efficiency,
    lower_bound as lower_bound,
    network_bound as network_bound,
    schedule as schedule,
)
from .diagnosis import compare as compare
from .energy import (
    ClusterCost as ClusterCost,
    ClusterPower as ClusterPower,
    StepEnergy as StepEnergy,
    TokenEnergy as TokenEnergy,
    cluster_cost as cluster_cost,
    cluster_power as cluster_power,
    step_energy as step_energy,
    token_energy as token_energy,
)
from .figures import published as published
from .flows import Share as Share, share as share
from .host_adapters import Adapter as Adapter, adapter as adapter, adapters as adapters
from .links import AlphaBeta as AlphaBeta, Link as Link, link as link, links as links
from .machines import (
    Launcher as Launcher,
    Port as Port,
    System as System,
    composed as composed,
    launchers as launchers,
    port as port,
    system as system,
    systems as systems,
)
from .measurements import apart as apart, read_measurements as read_measurements, read_pairs as read_pairs
from .memory import memory_mix as memory_mix
from .nccl import nccl_choice as nccl_choice
from .peers import p2p as p2p
from .prediction import Prediction as Prediction, predict as predict
from .supernodes import Supernode as Supernode, supernode as supernode, supernodes as supernodes
from .switches import Switch as Switch, switch as switch, switches as switches
from .topology import (
    Design as Design,
    Graph as Graph,
    Part as Part,
    designs as designs,
    fabric as fabric,
    fabric_counts as fabric_counts,
    parts_list as parts_list,
    path_class as path_class,
    path_classes as path_classes,
    server as server,
    servers as servers,
    tree as tree,
)

from .workloads import (
    Accelerator as Accelerator,
    Engine as Engine,
    Exchange as Exchange,
    KvTransfer as KvTransfer,
    Request as Request,
    TrainingStep as TrainingStep,
    Transformer as Transformer,
    accelerator as accelerator,
    accelerators as accelerators,
    engine as engine,
    engines as engines,
    exchange_bound as exchange_bound,
    expert_exchange as expert_exchange,
    kv_transfer as kv_transfer,
    request as request,
    splits as splits,
    token_bound as token_bound,
    training_step as training_step,
    transformer as transformer,
    transformers as transformers,
)

__version__: str
