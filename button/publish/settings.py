"""The settings of `button publish`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from button.config import AbsolutePath, TrackingSettings
from button.errors import UserError
from button.publish.layout import LayoutSettings
from button.publish.names import ref_name, repo_name
from button.publish.repository import RepoType

MAIN = "main"
ALSO_OF_PROGRAMS = {"title", "license"}  # of what is said of a set

RepoName = Annotated[str, BeforeValidator(repo_name)]
RefName = Annotated[str, BeforeValidator(ref_name)]


class PublishSettings(LayoutSettings):
    """What is published, where and how; either `run` or `programs` is given."""

    run: AbsolutePath | None = Field(None, description="the folder of a finished run")
    programs: AbsolutePath | None = Field(None, description="a folder of tuned prompts, <step>.json each")
    repo: RepoName = Field(description="the repo at the Hub: owner/name")
    repo_type: RepoType = "dataset"
    private: bool | None = Field(None, description="whether a new repo is private; null: what its owner's default is")
    branch: RefName = Field(MAIN, description="the branch to commit to, made where it is not there")
    tag: RefName | None = Field(None, description="the version to tag the commit with")
    create_pr: bool = Field(False, description="propose it in a pull request")
    dry_run: bool = Field(False, description="say what would be done, and do nothing")
    tracking: TrackingSettings | None = None

    @property
    def source(self) -> Path:
        """The folder that is published."""
        source = self.run or self.programs
        assert source is not None, "one of them is given"
        return source

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.run is None) == (self.programs is None):
            raise UserError("give either run=FOLDER (a data set) or programs=FOLDER (tuned prompts)")
        if self.run is not None and self.repo_type != "dataset":
            raise UserError(f"repo_type={self.repo_type}: a run becomes a data set; leave repo_type out")
        if self.programs is not None:
            for key, field in LayoutSettings.model_fields.items():
                if key not in ALSO_OF_PROGRAMS and getattr(self, key) != field.default:
                    raise UserError(f"{key}={getattr(self, key)}: that is for run=..., tuned prompts have no rows")
        if self.create_pr and self.branch != MAIN:
            raise UserError(f"create_pr=true branch={self.branch}: the Hub takes pull requests to main only; give one")
        if self.create_pr and self.tag is not None:
            raise UserError(
                f"create_pr=true tag={self.tag}: what is only proposed has no version yet; once the pull request is"
                " merged, the same command with tag=... and without create_pr tags it"
            )
        if self.tag == self.branch:
            raise UserError(f"tag={self.tag}: the branch has that name already; readers would not know which is meant")
        return self
