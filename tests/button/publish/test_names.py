import pytest

from button.publish.names import ref_name, repo_name


@pytest.mark.parametrize("name", ["me/set", "Me-2/my_set.v1", "a/b"])
def test_a_name_with_its_owner_is_taken(name: str) -> None:
    assert repo_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["set", "", "/", "me/", "/set", "a/b/c", "me/my set", "me/-set", "me/set.", "me/a--b", "me/a..b", "me/set.git",
     "me/" + "x" * 97, 7, None],
)  # fmt: skip
def test_a_name_that_the_hub_does_not_take_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match=r"should be owner/name|is no name for a repo"):
        repo_name(name)


@pytest.mark.parametrize("name", ["v1.0", "release/2026-05", "dev", "1.0rc1", "a@b", "x{y}"])
def test_a_branch_or_tag_that_git_takes_is_taken(name: str) -> None:
    assert ref_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a@{b", "-a", ".a", "a/.b", "/a", "a/", "a//b",
     "a.lock", "a.lock/b", "a.", "@", "a\tb", "HEAD", "refs/pr/1", "abcdef0", "x" * 201],
)  # fmt: skip
def test_a_branch_or_tag_that_git_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a branch or tag"):
        ref_name(name)


def test_a_version_that_yaml_read_as_a_number_is_refused_with_how_to_write_it() -> None:
    with pytest.raises(ValueError, match=r"begin it with a letter \(v1\.0\)"):
        ref_name(1.0)
