"""The worlds as shipped: every task can be understood, followed and joined, and every function called."""

import random

import pytest

from button.lms.simulation.loading import load_world
from button.lms.simulation.world import Domain, Template, World, draw_slots

WORLD = load_world()
DOMAINS = list(WORLD.domains.values())
TASKS = [task for domain in DOMAINS for task in domain.tasks]


def joins(world: World, domain: Domain, task: Template) -> list[Template]:
    """What can follow `task` and another one beside it."""
    others = [other for other in domain.tasks if other is task or not other.function_names & task.function_names]
    return [follower for other in others for follower in world.followers((task, other))]


def test_there_are_more_than_24_domains_of_several_tasks() -> None:
    assert len(DOMAINS) > 24
    assert all(len(domain.tasks) > 3 for domain in DOMAINS)


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_every_task_has_something_to_follow_it_alone_and_beside_another(domain: Domain) -> None:
    for task in domain.tasks:
        assert not task.consumes
        assert WORLD.followers((task,)), task.key
        assert joins(WORLD, domain, task), task.key


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_every_wording_holds_all_the_values_that_its_functions_need(domain: Domain) -> None:
    for template in (*domain.tasks, *domain.next):
        needed = {parameter.name for function in template.functions for parameter in function.takes}
        from_elsewhere = template.consumes | template.gives
        for phrase in template.phrases:
            assert needed - from_elsewhere <= set(phrase.slots), phrase.text


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_every_wording_is_recognised_again_with_its_values(domain: Domain) -> None:
    rng = random.Random(0)
    for task in domain.tasks:
        for phrase in task.phrases:
            for _ in range(5):
                values = draw_slots(task, domain.banks, rng, {})
                text = phrase.fill(values)
                found = WORLD.find_task(text)
                assert found is not None, text
                assert (found.template, found.values) == (task, {name: values[name] for name in phrase.slots}), text


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_every_follower_is_recognised_after_its_task(domain: Domain) -> None:
    rng = random.Random(1)
    for task in domain.tasks:
        for follower in WORLD.followers((task,)):
            for phrase in follower.phrases:
                values = draw_slots(follower, domain.banks, rng, {})
                found = WORLD.find_next(phrase.fill(values), (task,))
                assert found is not None, phrase.text
                assert found.template.functions == follower.functions, phrase.text
                assert found.values == {name: values[name] for name in phrase.slots}


def test_a_name_belongs_to_one_function() -> None:
    owners: dict[str, set[int]] = {}
    for domain in DOMAINS:
        for template in (*domain.tasks, *domain.next):
            for function in template.functions:
                for name in function.names:
                    owners.setdefault(name, set()).add(id(function))
    assert not [name for name, found in owners.items() if len(found) > 1]


def test_more_than_three_thousand_scenarios_can_be_drawn() -> None:
    scenes = {
        f"{doing} {what} {setting}"
        for domain in DOMAINS
        for task in domain.tasks
        for doing in task.scenes[0]
        for what in task.scenes[1]
        for setting in ("", *domain.settings)
    }
    assert len(scenes) > 3000
