"""How live jobs and live rooms become rows of the SQLite file, and rows jobs and rooms."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

import msgspec

from airslice.domain.live_job import FaultKind, JobFault, JobState, LiveJob, RtcPlace
from airslice.domain.live_room import (
    ConfirmState,
    LiveRoom,
    LiveRoomState,
    RoomDraft,
    Sharing,
)
from airslice.domain.owner_event import LiveCallback
from airslice.domain.players import RtcNotice
from airslice.domain.script import Cursor, JsonObject, Paragraph, Program
from airslice.persistence.sqlite.rows import Row, columns, fields_of, record
from airslice.persistence.sqlite.secrets import SecretBox

# A seal is bound to its row and column: moved to another, it does not open.
_DETAILS = "details of live job {}"
_PROGRAM = "program of live job {}"
_DRAFT = "draft of live room {}"
_PARAGRAPHS = "paragraphs of live room {}"
_FORMER_FAULTS = {
    "47000001": FaultKind.INTERNAL,
    "47000005": FaultKind.NO_PLACE,
    "47000012": FaultKind.SENT_OUT,
    "20010067": FaultKind.NO_RECORDING,
    "47000029": FaultKind.NO_SPEECH,
}
"""What older rows name a fault by: the number in the code that its owner is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fault:
    """A JobFault. Older rows have a code in place of the kind."""

    message: str
    kind: FaultKind | None = None
    code: str = ""

    def fault(self) -> JobFault:
        number = self.code.rpartition(".")[2]
        kind = self.kind or _FORMER_FAULTS.get(number, FaultKind.INTERNAL)
        return JobFault(kind=kind, message=self.message)


@dataclass(frozen=True, kw_only=True, slots=True)
class _JobDetails:
    """The fields of a job that no query looks at: they are sealed as one."""

    place: RtcPlace
    fault: _Fault | None
    block_reason: str
    callback: LiveCallback | None
    rtc_notices: tuple[RtcNotice, ...]
    extras: JsonObject


def job_row(job: LiveJob, room: int, box: SecretBox) -> Row:
    """Return the columns of a job, without its program.

    Args:
        job: The job.
        room: The number that stands for its room under its present name.
        box: Seals what the owner of the job wrote.
    """
    fault = _Fault(kind=job.fault.kind, message=job.fault.message) if job.fault else None
    details = _JobDetails(**{**fields_of(job, _JobDetails), "fault": fault})
    return {
        **columns(job),
        "room": room,
        "next_sentence": msgspec.json.encode(job.cursor).decode(),
        "details": box.seal_json(details, context=_DETAILS.format(job.job_id)),
    }


def sealed_program(job: LiveJob, box: SecretBox) -> bytes:
    """Return the program of a job as it is stored."""
    return box.seal_json(job.program, context=_PROGRAM.format(job.job_id))


def read_job(row: sqlite3.Row, box: SecretBox, *, with_program: bool = True) -> LiveJob:
    """Return the job that `job_row` made a row of.

    Raises:
        SecretUnreadable: the row was sealed with another master key.
    """
    job_id = row["job_id"]
    details = box.unseal_json(row["details"], _JobDetails, context=_DETAILS.format(job_id))
    program = Program()
    if with_program:
        program = box.unseal_json(row["program"], Program, context=_PROGRAM.format(job_id))
    return record(
        LiveJob,
        row,
        **{**fields_of(details), "fault": details.fault.fault() if details.fault else None},
        program=program,
        state=JobState(row["state"]),
        cursor=msgspec.json.decode(row["next_sentence"], type=Cursor),
        is_paused=bool(row["is_paused"]),
    )


def room_row(room: LiveRoom, box: SecretBox) -> Row:
    """Return the columns of a room."""
    draft = room.draft
    sharing = draft.sharing or Sharing()
    scenes = tuple(replace(scene, paragraphs=()) for scene in draft.scenes)
    paragraphs = [scene.paragraphs for scene in draft.scenes]
    models = [(scene.dh_id, scene.model_asset_id.casefold()) for scene in draft.scenes]
    return {
        **columns(room),
        "folded_name": draft.name.casefold(),
        "type": draft.type,
        "models": msgspec.json.encode(models).decode(),
        "shared_type": sharing.type,
        "shared_state": sharing.state,
        "shared_until_ms": sharing.expires_at_ms,
        "draft": box.seal_json(replace(draft, scenes=scenes), context=_DRAFT.format(room.room_id)),
        "paragraphs": box.seal_json(paragraphs, context=_PARAGRAPHS.format(room.room_id)),
    }


def read_room(row: sqlite3.Row, box: SecretBox, *, with_paragraphs: bool = True) -> LiveRoom:
    """Return the room that `room_row` made a row of.

    Raises:
        SecretUnreadable: the row was sealed with another master key.
    """
    room_id = row["room_id"]
    draft = box.unseal_json(row["draft"], RoomDraft, context=_DRAFT.format(room_id))
    if with_paragraphs:
        paragraphs = box.unseal_json(
            row["paragraphs"], list[tuple[Paragraph, ...]], context=_PARAGRAPHS.format(room_id)
        )
        scenes = tuple(
            replace(scene, paragraphs=own)
            for scene, own in zip(draft.scenes, paragraphs, strict=True)
        )
        draft = replace(draft, scenes=scenes)
    return record(
        LiveRoom,
        row,
        draft=draft,
        confirm_state=ConfirmState(row["confirm_state"]),
        state=LiveRoomState(row["state"]),
    )
