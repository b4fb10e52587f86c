"""A person's yes to a proposal: its file becomes the rules, and the one that it replaces stays, whatever was in it."""

import difflib
import hashlib
from typing import Annotated

from pydantic import AfterValidator, ValidationError

from videolab_assets.lib.clips.rules import ACCEPTED, LONGEST_RULES, RULES_KEY, read_rules, rules_in_force
from videolab_assets.lib.documents import Model
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.learning.proposal import PROPOSALS, Proposal
from videolab_assets.lib.store import ObjectMissing, Store
from videolab_assets.lib.yaml_text import Line, Unsuitable, read_yaml

REPLACED = "rules/replaced"
"""In the store: files that an approval replaced and that were never followed, because they could not be read, by their hash."""

APPROVED = "rules/approved"
"""In the store: who approved which proposal when, as `<id>.json`."""

LONGEST_APPROVAL = 16 * 1024
LONGEST_PROPOSAL = 1024 * 1024
LONGEST_REPLACED = 64 * 1024**2
"""Bytes of a file that somebody laid where the rules are; more than rules may have, so that a mistake can be kept and replaced too."""

MOST_NAMED = 5


def _an_id(given: str) -> str:
    if len(given) != 8 or set(given) - set("0123456789abcdef"):
        raise Unsuitable("the 8 digits and letters a to f by which the proposal is called")
    return given


class Approval(Model):
    """`<name>.approval.yaml`: which proposal, and who says yes to it."""

    proposal: Annotated[str, AfterValidator(_an_id)]
    by: Line


class Approved(Model):
    """What became of an approval.

    Attributes:
        at: epoch seconds.
        version, sha256: of the rules that are followed now; `key` is where they stand.
        replaced: hash of the file that stood there; None where there was none and the rules that ship were followed.
        kept_as: where that file is kept.
    """

    proposal: str
    by: str
    at: float
    version: str
    sha256: str
    key: str = RULES_KEY
    replaced: str | None
    kept_as: str | None


def read_approval(data: bytes) -> Approval:
    """The approval in a file.

    Raises:
        PermanentError: it breaks the schema; the sentence names the line and what was expected.
    """
    return read_yaml(data, Approval, longest=LONGEST_APPROVAL, what="approval")


def approve(store: Store, proposal_id: str, by: str, now: float) -> Approved:
    """Makes a proposal the rules that the next plans follow; killed half-way or done twice, it comes out the same.

    The replaced file is kept first, then the rules are written, then who approved them.

    Args:
        store: where rules and proposals are.
        proposal_id: 8 hex digits.
        by: who approves, as people know them.
        now: epoch seconds.

    Raises:
        PermanentError: there is no such proposal, its file was changed, or the rules have changed since it was made.
        TransientError: the store cannot be reached, or somebody changed the rules in this very moment.
    """
    proposal, data = _proposal(store, proposal_id)
    standing = _standing(store)
    if standing != data:
        _check_basis(store, proposal)
        kept_as = _keep(store, standing)
        if _standing(store) != standing:
            raise TransientError(f"{RULES_KEY} was changed while {proposal.id} was being approved; trying again will look at it anew.")
        _replace(store, standing, data)
        return _record(store, proposal, by, now, standing, kept_as)
    rules_in_force(store)
    return _recorded(store, proposal.id) or _record(store, proposal, by, now, None, None)


def _proposal(store: Store, proposal_id: str) -> tuple[Proposal, bytes]:
    """The proposal and its rules as they were made."""
    try:
        document = store.read_bytes(f"{PROPOSALS}/{proposal_id}.json", LONGEST_PROPOSAL)
        data = store.read_bytes(f"{PROPOSALS}/{proposal_id}.yaml", LONGEST_RULES)
        proposal = Proposal.model_validate_json(document)
    except ObjectMissing as error:
        raise PermanentError(_unknown(store, proposal_id), error.sentence) from error
    except ValidationError as error:
        raise PermanentError(f"Proposal {proposal_id} cannot be read by this version: make a new proposal.", str(error)) from error
    if hashlib.sha256(data).hexdigest() != proposal.rules_sha256:
        raise PermanentError(
            f"{PROPOSALS}/{proposal_id}.yaml was changed since it was proposed: make a new proposal, or lay your rules into {RULES_KEY}."
        )
    read_rules(data)
    return proposal, data


def _unknown(store: Store, proposal_id: str) -> str:
    names = sorted({entry.key.rpartition("/")[2].partition(".")[0] for entry in store.list(PROPOSALS)})
    near = difflib.get_close_matches(proposal_id, names, 1)
    if near:
        return f"There is no proposal {proposal_id!r}: did you mean {near[0]}?"
    if not names:
        return f"There is no proposal {proposal_id!r}, nor any other: materialize proposed_rules first."
    listed = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    return f"There is no proposal {proposal_id!r}: there are {listed}."


def _standing(store: Store) -> bytes | None:
    """The file that stands where the rules are."""
    try:
        return store.read_bytes(RULES_KEY, LONGEST_REPLACED)
    except ObjectMissing:
        return None


def _check_basis(store: Store, proposal: Proposal) -> None:
    in_force = rules_in_force(store)
    if in_force.sha256 != proposal.based_on:
        raise PermanentError(
            f"The rules have changed since proposal {proposal.id} was made: it is about {proposal.based_on_version!r}, and "
            f"{in_force.rules.version!r} is followed now. Make a new proposal."
        )


def _keep(store: Store, standing: bytes | None) -> str | None:
    """Where the file that is about to be replaced can be found afterwards."""
    if standing is None:
        return None
    digits = hashlib.sha256(standing).hexdigest()
    accepted = f"{ACCEPTED}/{digits[:8]}.yaml"
    if _holds(store, accepted, standing):
        return accepted
    key = f"{REPLACED}/{digits}.yaml"
    if not _holds(store, key, standing):
        store.write_bytes(key, standing, media_type="application/yaml")
    return key


def _holds(store: Store, key: str, data: bytes) -> bool:
    try:
        return store.read_bytes(key, LONGEST_REPLACED) == data
    except ObjectMissing:
        return False


def _replace(store: Store, standing: bytes | None, data: bytes) -> None:
    """Where nothing stands yet, whoever is first wins; where something does, it was looked at a moment ago."""
    only_if_absent = standing is None and store.supports_conditional
    written = store.write_bytes(RULES_KEY, data, media_type="application/yaml", only_if_absent=only_if_absent)
    if not written and _standing(store) != data:
        raise TransientError(f"{RULES_KEY} was laid into the store in this very moment; trying again will look at it.")
    rules_in_force(store)


def _record(store: Store, proposal: Proposal, by: str, now: float, standing: bytes | None, kept_as: str | None) -> Approved:
    replaced = hashlib.sha256(standing).hexdigest() if standing is not None else None
    approved = Approved(
        proposal=proposal.id,
        by=by,
        at=now,
        version=proposal.version,
        sha256=proposal.rules_sha256,
        replaced=replaced,
        kept_as=kept_as,
    )
    store.write_bytes(f"{APPROVED}/{proposal.id}.json", approved.model_dump_json(indent=1).encode(), media_type="application/json")
    return approved


def _recorded(store: Store, proposal_id: str) -> Approved | None:
    """What was noted when it was approved; None where that was cut off, or cannot be read any more."""
    try:
        return Approved.model_validate_json(store.read_bytes(f"{APPROVED}/{proposal_id}.json", LONGEST_PROPOSAL))
    except (ObjectMissing, ValidationError):
        return None
