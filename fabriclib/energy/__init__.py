"""Energy: what moving a byte costs, what a cluster draws and where, what a step and a token take of it, and what it is worth."""

from __future__ import annotations

from .cluster import ClusterPower, cluster_power
from .money import ClusterCost, cluster_cost
from .reach import cable_energy, frugal, links_by_reach
from .reconciled import TRAINING, Reconciled, reconciled, reconciled_table
from .steps import StepEnergy, step_energy
from .tokens import TokenEnergy, token_energy
from .ways import Way, byte_energy, ways, ways_table

__all__ = ["ClusterCost", "ClusterPower", "Reconciled", "StepEnergy", "TRAINING", "TokenEnergy", "Way", "byte_energy",
           "cable_energy", "cluster_cost", "cluster_power", "frugal", "links_by_reach", "reconciled", "reconciled_table",
           "step_energy", "token_energy", "ways", "ways_table"]
