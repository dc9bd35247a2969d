"""Live jobs and rooms as rows, and back."""

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
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.secrets import SecretBox

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
    """What jobs are not found by."""

    place: RtcPlace
    fault: _Fault | None
    block_reason: str
    callback: LiveCallback | None
    rtc_notices: tuple[RtcNotice, ...]
    extras: JsonObject


def job_row(job: LiveJob, room: int, box: SecretBox) -> Row:
    """Return the columns of a job, but for the program.

    Args:
        job: The job.
        room: Number of its room and name.
        box: Seals what its owner wrote.
    """
    details = _JobDetails(
        place=job.place,
        fault=_Fault(kind=job.fault.kind, message=job.fault.message) if job.fault else None,
        block_reason=job.block_reason,
        callback=job.callback,
        rtc_notices=job.rtc_notices,
        extras=job.extras,
    )
    return {
        "job_id": job.job_id,
        "room": room,
        "state": job.state,
        "created_at_ms": job.created_at_ms,
        "updated_at_ms": job.updated_at_ms,
        "started_at_ms": job.started_at_ms,
        "ended_at_ms": job.ended_at_ms,
        "on_air_ms": job.on_air_ms,
        "is_paused": job.is_paused,
        "next_sentence": msgspec.json.encode(job.cursor).decode(),
        "details": box.seal(msgspec.json.encode(details), context=_details_of(job.job_id)),
    }


def sealed_program(job: LiveJob, box: SecretBox) -> bytes:
    """Return the program of a job as it is stored."""
    return box.seal(msgspec.json.encode(job.program), context=_program_of(job.job_id))


def read_job(row: sqlite3.Row, box: SecretBox, *, with_program: bool = True) -> LiveJob:
    """Return the job that `job_row` made a row of.

    Raises:
        SecretUnreadable: the row was sealed with another master key.
    """
    job_id = row["job_id"]
    details = msgspec.json.decode(
        box.unseal(row["details"], context=_details_of(job_id)), type=_JobDetails
    )
    program = Program()
    if with_program:
        text = box.unseal(row["program"], context=_program_of(job_id))
        program = msgspec.json.decode(text, type=Program)
    return LiveJob(
        job_id=job_id,
        project_id=row["project_id"],
        room_id=row["room_id"],
        room_name=row["room_name"],
        program=program,
        place=details.place,
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
        state=JobState(row["state"]),
        cursor=msgspec.json.decode(row["next_sentence"], type=Cursor),
        is_paused=bool(row["is_paused"]),
        started_at_ms=row["started_at_ms"],
        ended_at_ms=row["ended_at_ms"],
        on_air_ms=row["on_air_ms"],
        fault=details.fault.fault() if details.fault else None,
        block_reason=details.block_reason,
        callback=details.callback,
        rtc_notices=details.rtc_notices,
        extras=details.extras,
    )


def room_row(room: LiveRoom, box: SecretBox) -> Row:
    """Return the columns of a room."""
    draft = room.draft
    sharing = draft.sharing or Sharing()
    scenes = tuple(replace(scene, paragraphs=()) for scene in draft.scenes)
    paragraphs = [scene.paragraphs for scene in draft.scenes]
    models = [(scene.dh_id, scene.model_asset_id.casefold()) for scene in draft.scenes]
    return {
        "room_id": room.room_id,
        "project_id": room.project_id,
        "folded_name": draft.name.casefold(),
        "type": draft.type,
        "models": msgspec.json.encode(models).decode(),
        "state": room.state,
        "confirm_state": room.confirm_state,
        "script_version": room.script_version,
        "created_at_ms": room.created_at_ms,
        "updated_at_ms": room.updated_at_ms,
        "shared_type": sharing.type,
        "shared_state": sharing.state,
        "shared_until_ms": sharing.expires_at_ms,
        "draft": box.seal(
            msgspec.json.encode(replace(draft, scenes=scenes)), context=_draft_of(room.room_id)
        ),
        "paragraphs": box.seal(
            msgspec.json.encode(paragraphs), context=_paragraphs_of(room.room_id)
        ),
    }


def read_room(row: sqlite3.Row, box: SecretBox, *, with_paragraphs: bool = True) -> LiveRoom:
    """Return the room that `room_row` made a row of.

    Raises:
        SecretUnreadable: the row was sealed with another master key.
    """
    room_id = row["room_id"]
    draft = msgspec.json.decode(
        box.unseal(row["draft"], context=_draft_of(room_id)), type=RoomDraft
    )
    if with_paragraphs:
        paragraphs = msgspec.json.decode(
            box.unseal(row["paragraphs"], context=_paragraphs_of(room_id)),
            type=list[tuple[Paragraph, ...]],
        )
        scenes = tuple(
            replace(scene, paragraphs=own)
            for scene, own in zip(draft.scenes, paragraphs, strict=True)
        )
        draft = replace(draft, scenes=scenes)
    return LiveRoom(
        room_id=room_id,
        project_id=row["project_id"],
        draft=draft,
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
        script_version=row["script_version"],
        confirm_state=ConfirmState(row["confirm_state"]),
        state=LiveRoomState(row["state"]),
    )


# A seal is bound to its row and column: moved to another, it does not open.


def _details_of(job_id: str) -> str:
    return f"details of live job {job_id}"


def _program_of(job_id: str) -> str:
    return f"program of live job {job_id}"


def _draft_of(room_id: str) -> str:
    return f"draft of live room {room_id}"


def _paragraphs_of(room_id: str) -> str:
    return f"paragraphs of live room {room_id}"
