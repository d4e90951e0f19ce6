"""Briefs and plans: scores agree with the parts of the model, every plan gets one, and no brief has a single answer."""

from collections import Counter

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import capstone
from fabriclib.capstone import OPTIONS, Plan
from fabriclib.capstone.plan import FABRICS

BRIEFS = capstone.briefs()["id"].tolist()
LIMITS = ["time", "memory", "power", "GPUs"]
PLAN = Plan("dgx-h100", gpus=1024, tp=8, pp=2, spare=2)


@pytest.fixture(scope="module")
def searched():
    return {brief: capstone.search(brief) for brief in BRIEFS}


def test_a_score_is_what_the_rooms_below_say():
    brief, design = capstone.brief("dense-70b"), fl.fabric_counts("rail-optimised", gpus=1024, speed="ib-ndr")
    found = capstone.score(brief, PLAN)
    step = fl.training_step(brief.model, "dgx-h100", gpus=1024, global_batch=brief.global_batch, seq=brief.seq, tp=8, pp=2,
                            virtual=8, sharding="zero1")
    share = fl.uptime("dgx-h100", gpus=1024, design=design, spare=2, model=brief.model).share
    steps = brief.tokens / (brief.global_batch * brief.seq)
    assert step.fits
    assert found.needs["time"] == pytest.approx(steps * step.seconds / share)
    assert found.needs["memory"] == pytest.approx(step.memory)
    assert found.needs["power"] == pytest.approx(fl.cluster_power("dgx-h100", fabric=design).watts * (1 + 2 * 8 / 1024))
    assert found.needs["GPUs"] == 1040
    assert found.margins["time"] == pytest.approx(brief.deadline / found.needs["time"])


@pytest.mark.parametrize("fabric", FABRICS.values(), ids=FABRICS)
def test_the_servers_of_a_pod_are_those_below_the_same_leaves_of_the_wired_fabric(fabric):
    wired = fl.fabric(fabric.kind, gpus=8 * 4 * fabric.pod, **fabric.options)
    leaves: dict[int, set] = {}
    for src, dst in zip(wired.src, wired.dst, strict=True):
        if wired.kinds[src] == "gpu" and wired.kinds[dst] == "leaf":
            leaves.setdefault(int(wired.nodes[src].removeprefix("gpu")) // 8, set()).add(int(dst))
    pods = Counter(map(frozenset, leaves.values()))
    assert set(pods.values()) == {fabric.pod}


@pytest.mark.parametrize("brief", BRIEFS)
def test_a_search_gives_every_plan_the_score_that_it_has_alone(searched, brief):
    table = searched[brief]
    assert np.isfinite(table[LIMITS].to_numpy()).all()
    assert (table["value"] == table[LIMITS].min(axis=1)).all()
    for row in table.iloc[np.linspace(0, len(table) - 1, 12).astype(int)].to_dict("records"):
        alone = capstone.score(brief, Plan(**{field: row[field] for field in OPTIONS}))
        assert alone.margins == pytest.approx({limit: row[limit] for limit in LIMITS})
        assert bool(alone.impossible) == (row["value"] == 0)


@pytest.mark.parametrize("brief", BRIEFS)
def test_a_brief_has_answers_that_differ_and_most_plans_are_none(searched, brief):
    good = searched[brief][searched[brief]["value"] >= 1]
    assert good["system"].nunique() > 1 or good["gpus"].nunique() > 1
    assert 2 <= len(good) < len(searched[brief]) / 10
    assert {capstone.score(brief, Plan(**one)).passes for one in good[list(OPTIONS)].head(2).to_dict("records")} == {True}


def test_no_single_trick_wins_all_briefs(searched):
    good = {brief: table[table["value"] >= 1] for brief, table in searched.items()}
    plans = [set(map(tuple, table[list(OPTIONS)].to_numpy())) for table in good.values()]
    assert not set.intersection(*plans)
    for field in ("system", "gpus", "tp", "pp", "fabric", "oversubscription", "spare"):
        shares = {value: [float((table[field] == value).mean()) for table in good.values()] for value in OPTIONS[field]}
        assert not [value for value, each in shares.items() if min(each) > 0.9], field


@pytest.mark.parametrize("brief", BRIEFS)
def test_the_best_changes_are_the_best_of_all_that_differ_in_one_thing(searched, brief):
    table = searched[brief]
    row = table[table["value"].between(0.3, 0.9)].iloc[-1]
    plan = Plan(**{field: row[field].item() if hasattr(row[field], "item") else row[field] for field in OPTIONS})
    changes = capstone.score(brief, plan).changes(3)
    assert 1 <= len(changes) <= 3
    assert len({change.field for change in changes}) == len(changes)
    neighbours = table[sum((table[field] == row[field]).astype(int) for field in OPTIONS) == len(OPTIONS) - 1]
    assert changes[0].score == pytest.approx(neighbours["value"].max())
    for change in changes:
        assert capstone.score(brief, Plan(**plan.__dict__ | {change.field: change.value})).value == pytest.approx(change.score)


@pytest.mark.parametrize(("change", "says"), [
    ({"gpus": 1}, "at least two servers"), ({"gpus": 1023}, "at least two servers"), ({"tp": 3}, "multiple of tp x pp"),
    ({"tp": 16}, "inside one domain"), ({"pp": 7}, "gpus must be a multiple"), ({"pp": 64}, "pp x virtual must divide"),
    ({"optics": "copper to the rack"}, "copper reaches 3 m"), ({"gpus": 10**6}, "at most"),
    ({"oversubscription": 1000.0}, "oversubscription must be"),
    ({"system": "gb200-nvl72"}, "only DGX A100 and DGX H100 can be had"),
    ({"gpus": 2048, "tp": 1, "pp": 1}, "1,024 texts, which 2,048 copies")])
def test_a_plan_that_cannot_be_built_says_why(change, says):
    found = capstone.score("dense-70b", Plan(**PLAN.__dict__ | change))
    assert (found.value, found.passes) == (0, False)
    assert says in found.impossible
    assert "cannot be built" in found.why()


def test_absurd_plans_have_scores_and_sentences_too():
    spare = capstone.score("dense-70b", Plan(**PLAN.__dict__ | {"spare": 5000}))
    assert spare.binding in ("power", "GPUs")
    assert [change.field for change in spare.changes()][0] == "spare"
    lean = capstone.score("dense-70b", Plan("dgx-h100", gpus=16))
    assert 0 < lean.value < 0.05
    assert "days" in lean.why() or "hold" in lean.why()


def test_a_serving_plan_is_what_request_says_while_servers_are_out():
    plan = Plan("gb200-nvl72", gpus=512, tp=8, pp=2, spare=0)
    brief, found = capstone.brief("serve-405b"), capstone.score("serve-405b", plan)
    batch = 32 * -(-6000 // 32)
    request = fl.request(brief.model, plan.system, gpus=512, tp=8, pp=2, batch=batch, prompt=brief.seq, output=512)
    assert 0.9 < found.share < 1
    assert found.needs["time"] == pytest.approx(request.per_token / found.share)
    assert found.needs["memory"] == pytest.approx(request.memory)
    assert "of 50 ms" in capstone.score("serve-405b", plan).why() or found.binding != "time"
