"""The job file (``jobs/*.toml``) as a validated model.

An unknown key, a wrong type or an impossible value is a `JobError` that names the key, its line and the nearest valid
one. The commands ``train``, ``evaluate`` and ``time`` build the same model from their options.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Field, ValidationError, field_validator, model_validator

from aebench.codecs.base import Codec
from aebench.codecs.registry import codecs
from aebench.containment import Limits
from aebench.errors import JobError, SettingError
from aebench.images.uris import redacted_text
from aebench.kept import Keep
from aebench.metrics import DEFAULT_METRICS, METRICS
from aebench.suggest import did_you_mean


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TrainSection(_Section):
    """``[train]``: what to train, on what, how.

    `start` is a folder with weights to begin from, or its URI: see `aebench.models.weights.Weights.start`.
    """

    model: str = "paper"
    start: str | None = None
    images: str
    fallback: str | None = None
    validation: Annotated[int, Field(ge=1)] = 2
    crop: Annotated[int, Field(ge=8, le=4096, multiple_of=4)] = 64
    batch: Annotated[int, Field(ge=1, le=65536)] = 8
    epochs: Annotated[int, Field(ge=1)] = 20
    steps: Annotated[int, Field(ge=1)] = 100
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.15
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: Literal["auto"] | bool = "auto"
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    workers: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"

    @model_validator(mode="after")
    def _batch_is_shared(self) -> TrainSection:
        if isinstance(self.workers, int) and self.batch % self.workers:
            raise ValueError(f"batch = {self.batch} cannot be shared equally by workers = {self.workers}")
        return self


class _CodecsSection(_Section):
    """Which images through which codecs."""

    images: str
    fallback: str | None = None
    codecs: Annotated[list[str], Field(min_length=1)]

    @field_validator("codecs")
    @classmethod
    def _codecs_exist(cls, texts: list[str]) -> list[str]:
        try:
            codecs(",".join(texts))
        except SettingError as error:
            raise ValueError(str(error)) from error
        return texts

    def settings(self) -> list[Codec]:
        """Every setting to measure, each once."""
        return codecs(",".join(self.codecs))


class EvaluateSection(_CodecsSection):
    """``[evaluate]``: which images through which codecs, by which metrics, what to keep of it, and when to give up.

    `time_limit` is seconds of one stage, such as encoding; `memory_limit` is bytes of the process that measures.
    """

    metrics: Annotated[list[str], Field(min_length=1)] = list(DEFAULT_METRICS)
    keep: Keep | None = None
    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Limits().seconds
    memory_limit: Annotated[ByteSize, Field(ge=100 * 10**6)] = ByteSize(Limits().memory)

    @field_validator("metrics")
    @classmethod
    def _metrics_exist(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in METRICS:
                raise ValueError(
                    f"there is no metric {name!r}{did_you_mean(name, METRICS)}; known: {', '.join(METRICS)}"
                )
        return names

    def limits(self) -> Limits:
        """What a child process that measures may take."""
        return Limits(self.time_limit, self.memory_limit)


class TimeSection(_CodecsSection):
    """``[time]``: which images through which codecs, how often."""

    repeats: Annotated[int, Field(ge=1, le=1000)] = 3


class ReportSection(_Section):
    """``[report]``: what the tables compare."""

    bpp: Annotated[float, Field(gt=0)] | None = None
    psnr: Annotated[float, Field(gt=0)] | None = None
    anchor: str | None = None


class Job(_Section):
    """One job: train if there is a ``[train]``, evaluate if an ``[evaluate]``, time if a ``[time]``; report.

    Several networks are trained by as many ``[[train]]``, one after another.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    train: list[TrainSection] = []
    evaluate: EvaluateSection | None = None
    time: TimeSection | None = None
    report: ReportSection = ReportSection()

    @field_validator("train", mode="before")
    @classmethod
    def _as_list(cls, given: Any) -> Any:
        return [given] if isinstance(given, Mapping) else given

    @field_validator("train")
    @classmethod
    def _each_network_once(cls, sections: list[TrainSection]) -> list[TrainSection]:
        for model, times in Counter(section.model for section in sections).items():
            if times > 1:
                raise ValueError(f"{times} [[train]] train the same network, {model!r}; its weights would be ambiguous")
        return sections

    @model_validator(mode="after")
    def _something_to_do(self) -> Job:
        if not self.train and self.evaluate is None and self.time is None:
            raise ValueError("a job needs a [train], an [evaluate] or a [time] section")
        return self

    @model_validator(mode="after")
    def _anchor_is_measured(self) -> Job:
        anchor = self.report.anchor
        if anchor is not None and self.evaluate is not None:
            known = list(dict.fromkeys(codec.variant for codec in self.evaluate.settings()))
            if anchor not in known:
                near = did_you_mean(anchor, known)
                raise ValueError(f"report.anchor = {anchor!r} is not measured{near}; measured are: {', '.join(known)}")
        return self


_SECTIONS: dict[str, type[BaseModel]] = {
    "train": TrainSection,
    "evaluate": EvaluateSection,
    "time": TimeSection,
    "report": ReportSection,
}


def read_job(path: str | Path, overrides: Sequence[str] = ()) -> Job:
    """Read a job file.

    Parameters
    ----------
    path : path
        A TOML file.
    overrides : sequence of str
        ``section.key=value``, the value as in TOML; a bare word is taken as text. In every ``[[train]]`` of several.

    Raises
    ------
    JobError
        If the file cannot be read, or anything in it or in the overrides is not valid.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        near = sorted(str(file) for file in Path(path).parent.glob("*.toml"))
        known = f"; job files beside it: {', '.join(near)}" if near else ""
        raise JobError(f"cannot read the job file {path}: {getattr(error, 'strerror', error)}{known}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise JobError(f"{path} is not valid TOML: {error}") from error
    for override in overrides:
        _override(values, override)
    values.setdefault("name", Path(path).stem)
    return make_job(values, source=str(path), text=text)


def command_job(command: str, overrides: Sequence[str], **sections: Any) -> Job:
    """Make the job that a command's options describe."""
    values = {"name": command, **sections}
    for override in overrides:
        _override(values, override)
    return make_job(values, source=f"aebench {command}")


def make_job(values: Mapping[str, Any], source: str, text: str = "") -> Job:
    """Validate values as a job; `source` and `text` say where they stand."""
    try:
        return Job.model_validate(values)
    except ValidationError as error:
        raise JobError("\n".join(_explain(problem, source, text) for problem in error.errors())) from error


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, raw = override.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        raise JobError(
            f"--set takes section.key=value, not {redacted_text(override)!r}; for example --set train.epochs=5"
        )
    try:
        value = tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        value = raw
    sections = [values]
    for part in path[:-1]:
        below = [section.setdefault(part, {}) for section in sections]
        sections = [one for found in below for one in (found if isinstance(found, list) else [found])]
        if not all(isinstance(section, dict) for section in sections):
            raise JobError(f"--set {override}: {part!r} is not a section")
    for section in sections:
        section[path[-1]] = value


def _explain(problem: Any, source: str, text: str) -> str:
    # pydantic names the branches of a union in the location; only keys of the file are wanted
    extra = problem["type"] == "extra_forbidden"
    keys = [str(part) for part in problem["loc"] if part in _known_keys()]
    keys += [str(problem["loc"][-1])] if extra else []
    where = ".".join(keys)
    index = next((part for part in problem["loc"][1:2] if isinstance(part, int)), 0)  # of several [[train]]
    line = _line_of(keys, text, index)
    prefix = f"{source}{f', line {line}' if line else ''}: "
    if extra:
        name = str(problem["loc"][-1])
        known = list(_section(problem["loc"][:-1]).model_fields)
        return f"{prefix}unknown key {where!r}{did_you_mean(name, known)}; known here: {', '.join(known)}"
    if problem["type"] == "missing":
        return f"{prefix}the key {where!r} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if isinstance(problem["input"], (dict, list)) else f", not {problem['input']!r}"
    return redacted_text(f"{prefix}{where + ': ' if where else ''}{message}{given}")


def _section(location: Sequence[str | int]) -> type[BaseModel]:
    model: type[BaseModel] = Job
    for part in location:
        model = _SECTIONS.get(str(part), model)
    return model


def _known_keys() -> set[str]:
    sections: list[type[BaseModel]] = [Job, *_SECTIONS.values()]
    return {name for section in sections for name in section.model_fields}


def _line_of(keys: Sequence[str], text: str, index: int) -> int | None:
    """Find the line of a key, of the section of this index where several have one name: `tomllib` does not tell it."""
    section, here, seen = "", True, Counter[str]()
    if not keys:
        return None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[{1,2}([^\[\]]+)\]", line):
            section = header[1].strip()
            here = section != keys[0] or seen[section] == index
            seen[section] += 1
            if list(keys) == [section] and here:
                return number
        elif re.match(rf"\s*{re.escape(keys[-1])}\s*=", line) and section == ".".join(keys[:-1]) and here:
            return number
    return None
