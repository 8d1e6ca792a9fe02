from collections.abc import Sequence
from typing import Any

import jsonschema_rs
import pytest
from golden import cases, check
from hypothesis import given
from hypothesis import strategies as st
from scripted import Said, Scripted, Small, schema_of, signature_of, work_of
from strategies import NAMES

from button.errors import NoUsableAnswer
from button.lms.schema import is_closed
from modules.functions import FunctionDefinition, draft_problems, draft_schema, links, merged, to_function
from signatures.functions import FieldDraft, FunctionDraft, JsonType, ParameterDraft
from signatures.records import Composition, Problem, SubTask

ALL: tuple[JsonType, ...] = ("string", "integer", "number", "boolean", "array", "object")
COMPOSITION = Composition.derive(
    None,
    scenario="any",
    task="Check the refill date of prescription RX-5521 and remind Baptiste Roy on it.",
    strategy="sequential",
    sub_tasks=(SubTask(task="Check the refill date."), SubTask(task="Remind him.", depends_on=(0,))),
)


@pytest.mark.parametrize("case", cases("functions"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)


def parameter(name: str, **fields: Any) -> ParameterDraft:
    return ParameterDraft(**{"name": name, "type": "string", "description": "A name.", **fields})


def draft(name: str, sub_task: int = 1, *parameters: ParameterDraft, returns: str = "answer") -> FunctionDraft:
    return FunctionDraft(
        sub_task=sub_task,
        name=name,
        description="Returns one thing for another.",
        parameters=list(parameters or [parameter("query")]),
        responses=[FieldDraft(name=returns, type="string", description="What was found.")],
    )


def test_a_function_given_again_for_another_sub_task_stands_once_and_serves_both() -> None:
    drafts = [draft("search_web", 1), draft("send_note", 2), draft("search_web", 3)]
    assert [function.name for function in merged(drafts)] == ["search_web", "send_note"]
    assert links(drafts, 3) == (("search_web",), ("send_note",), ("search_web",))


def test_two_unlike_functions_of_one_name_are_a_problem() -> None:
    drafts = [draft("search_web", 1), draft("search_web", 2, parameter("city"))]
    assert len(merged(drafts)) == 2
    assert any("2 functions are named 'search_web'" in problem for problem in draft_problems(drafts, COMPOSITION))


def test_a_sub_task_may_have_several_functions_or_none() -> None:
    drafts = [draft("search_web", 1), draft("read_page", 1), draft("search_web", 1)]
    assert links(drafts, 2) == (("search_web", "read_page"), ())


@pytest.mark.parametrize("what", ["parameters", "responses"])
def test_a_field_defined_twice_is_a_problem(what: str) -> None:
    fields = [parameter("city"), parameter("city", type="integer")]
    one = draft("search_web").model_copy(update={what: fields})
    assert draft_problems([one, draft("send_note", 2)], COMPOSITION) == [
        f"function 'search_web': 'city' stands twice among its {what}; give each a name of its own"
    ]


def test_no_function_at_all_is_a_problem() -> None:
    assert draft_problems([], COMPOSITION) == ["no function is defined; at least one sub-task needs one"]


def test_only_what_is_required_is_listed_as_such() -> None:
    function = to_function(draft("search_web", 1, parameter("query"), parameter("limit", required=False)))
    assert function.required == ("query",)
    assert list(function.parameters) == ["query", "limit"]


@given(st.lists(NAMES, unique=True, min_size=1, max_size=4), st.sampled_from(ALL), st.booleans())
def test_any_draft_becomes_a_function_of_the_papers_five_fields(names: list[str], kind: Any, required: bool) -> None:
    function = to_function(draft("search_web", 1, *[parameter(n, type=kind, required=required) for n in names]))
    assert set(function.model_dump()) == {"name", "description", "parameters", "required", "responses"}
    for body in function.parameters.values():
        assert body["type"] == kind
        assert body["description"] == "A name."
        assert ("items" in body) is (kind == "array")
        assert "enum" not in body
    assert set(function.required) == (set(names) if required else set())


# The schema that a decoder is held to


def answer(**fields: Any) -> dict[str, Any]:
    one = draft("search_web").model_dump(mode="json")
    for field in one["parameters"]:
        del field["enum"]
    return {"functions": [{**one, **fields}]}


def fits(schema: dict[str, Any], value: Any) -> bool:
    return bool(jsonschema_rs.validator_for(schema).is_valid(value))


def test_the_narrowed_schema_takes_a_plain_function() -> None:
    assert fits(draft_schema(["string"], enums=False), answer())


@pytest.mark.parametrize(
    "fields",
    [
        {"parameters": []},
        {"responses": []},
        {"parameters": [{"name": "city", "type": "object", "description": "d", "required": True}]},
        {"parameters": [{"name": "city", "type": "string", "description": "d"}]},
        {"parameters": [{"name": "city", "type": "string", "description": "d", "required": True, "enum": ["a"]}]},
        {"name": "Search Web"},
        {"sub_task": 0},
    ],
)
def test_the_narrowed_schema_refuses_what_is_not_offered(fields: dict[str, Any]) -> None:
    assert not fits(draft_schema(["string"], enums=False), answer(**fields))


def test_enums_are_offered_only_where_wanted() -> None:
    with_enum = answer()
    with_enum["functions"][0]["parameters"][0]["enum"] = ["a", "b"]
    assert fits(draft_schema(ALL, enums=True), with_enum)
    assert not fits(draft_schema(ALL, enums=False), with_enum)


def test_without_enums_it_is_strict() -> None:
    assert is_closed(draft_schema(ALL, enums=False))
    assert not is_closed(draft_schema(ALL, enums=True))


def test_narrowing_leaves_the_signatures_own_schema_alone() -> None:
    before = draft_schema(ALL, enums=True)
    draft_schema(["string"], enums=False)
    assert draft_schema(ALL, enums=True) == before


# One call for each sub-task


FIRST: Said = {
    "name": "get_refill_date",
    "description": "Returns the date of the next refill.",
    "parameters": [{"name": "prescription_code", "type": "string", "description": "The code of it"}],
    "responses": [{"name": "refill_date", "type": "string", "description": "The date of it"}],
}
SECOND: Said = {
    "name": "create_reminder",
    "description": "Reminds a person of something on a date.",
    "parameters": [
        {"name": "refill_date", "type": "string", "description": "The day of it"},
        {"name": "person_name", "type": "string", "description": "The person to remind"},
    ],
    "responses": [{"name": "reminder_code", "type": "string", "description": "The code of it"}],
}


async def test_a_small_model_defines_one_function_at_a_time_and_must_take_the_results_it_needs() -> None:
    engine = Small(FIRST, SECOND)
    outcome = await FunctionDefinition().aforward(COMPOSITION, work_of(engine))
    assert isinstance(outcome, tuple)
    assert isinstance(outcome[0], Problem)
    assert outcome[0].uses == (("get_refill_date",), ("create_reminder",))
    assert [signature_of(request) for request in engine.requests] == ["DefineFunction"] * 2
    first, second = engine.prompts()
    assert "[[ ## results ## ]]\nnone" in first
    assert "[[ ## results ## ]]\nrefill_date (string): The date of it" in second
    schema = schema_of(engine.requests[1])
    described = {"description": "Reminds a person of something on a date."}
    assert isinstance(SECOND, dict)
    assert fits(schema, {**SECOND, **described})
    assert not fits(schema, {**SECOND, "parameters": [SECOND["parameters"][1]]})
    assert not fits(schema, {**SECOND, "parameters": [{**SECOND["parameters"][0], "type": "integer"}]})


async def test_how_functions_are_asked_for_can_be_chosen_whatever_the_model() -> None:
    engine = Scripted(FIRST, SECOND)
    assert isinstance(await FunctionDefinition(narrow=True).aforward(COMPOSITION, work_of(engine)), tuple)
    assert len(engine.requests) == 2
    engine = Small(DefineFunctions=lambda _: {"functions": []})
    with pytest.raises(NoUsableAnswer):
        await FunctionDefinition(narrow=False, tries=1).aforward(COMPOSITION, work_of(engine))


FORECAST = Composition.derive(
    None,
    scenario="hiking",
    task="Check the pollen level in Porto on 3 May 2027. Then email the pollen level that was found to Priya Sato.",
    strategy="sequential",
    sub_tasks=(
        SubTask(task="Check the pollen level in Porto on 3 May 2027."),
        SubTask(task="Email the pollen level that was found to Priya Sato.", depends_on=(0,)),
    ),
)


def field(name: str, kind: str = "string") -> dict[str, str]:
    return {"name": name, "type": kind, "description": "What it is about"}


def level(*parameters: str, responses: Sequence[str] = ("pollen_level",)) -> dict[str, Any]:
    return {
        "name": "get_pollen_level",
        "description": "Returns the level of pollen in a town on a date.",
        "parameters": [field(name) for name in parameters],
        "responses": [field(name) for name in responses],
    }


async def test_a_small_model_gives_each_detail_a_parameter_of_its_own_and_returns_what_is_needed_later() -> None:
    email = {**level("pollen_level", "recipient", responses=["email_status"]), "name": "email_pollen_level"}
    engine = Small(level("city", "date"), email)
    outcome = await FunctionDefinition().aforward(FORECAST, work_of(engine))
    assert isinstance(outcome, tuple)
    first, second = (schema_of(request) for request in engine.requests)
    assert fits(first, level("place", "date"))
    assert not fits(first, level("city"))
    assert not fits(first, level("date", "city"))
    assert not fits(first, level("city", "date", "library_code"))
    assert not fits(first, level("city", "date", responses=["temperature"]))
    assert not fits(first, level("city", "date", responses=["pollen_level", "temperature"]))
    assert fits(second, level("pollen_level", "person_name", responses=["email_status"]))
    assert not fits(second, level("pollen_level", responses=["email_status"]))
    assert not fits(second, level("pollen_level", "person_name", responses=["status_message_text_content_status"]))
    assert not fits(second, level("pollen_level", "person_name", responses=["email_details"]))
