"""A new clip's value of one feature, computed as `predict` does, and the kept rows most like it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from cache.index import rows_of
from cache.reading import read_columns
from cache.similar import Found, most_like, row_of
from cache.spec import FeatureSpec
from cache.store import Store
from core.errors import CacheError, UnknownName, UsageError
from corpus.sample import MEDIA_PARTS, Sample
from extract.encoders.checkpoint import Places
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings
from extract.today import encoders_of, folders_lacking, is_stale, request_for
from serve.clips import clip_id


@dataclass(frozen=True)
class Likes:
    """What is like a clip: ids and distances, the nearest first, or why it could not be read."""

    found: Found
    reason: str = ""


def stored_feature(store: Store, name: str, places: Places | None = None) -> FeatureSpec:
    """Return the feature of a cache that has this name, as today's code gives it if it does.

    `places` says where checkpoints are that were read from folders.

    Raises:
        UnknownName: if the cache has none.
    """
    specs = [feature.spec for feature in store.features() if feature.name == name]
    if not specs:
        known = {feature.name for feature in store.features()}
        raise UnknownName("stored feature", name, known, "Name one, not a family.")
    return next((spec for spec in specs if is_stale(spec, places) is False), specs[-1])


def like_id(store: Store, spec: FeatureSpec, sample_id: str, count: int) -> Likes | None:
    """Return what is like a sample of the cache; None if the feature has no value of it."""
    asked = row_of(rows_of(store, spec), sample_id)
    if asked is None:
        return None
    return Likes(most_like(store, spec, asked, count, without=sample_id))


def like_video(
    cache: Path,
    spec: FeatureSpec,
    video: Path,
    count: int,
    *,
    settings: Settings,
    places: Places | None = None,
) -> Likes:
    """Extract the feature of a new clip, which the cache then has, and return what is like it.

    Raises:
        UsageError: if the feature reads more than a media file, or with weights of a folder that
            `places` does not say.
        CacheError: if today's code gives another feature under its name.
    """
    if not set(spec.reads) <= MEDIA_PARTS.keys():
        raise UsageError(
            f"{spec.name} reads {', '.join(spec.reads)}, which a file alone does not have; "
            "extract the clip with its table, and give its id"
        )
    if lacking := folders_lacking(spec, places):
        given = " ".join(f"--weights {family}=FOLDER" for family in lacking)
        raise UsageError(f"{spec.name} has its weights from a folder; say where that is: {given}")
    request = request_for([spec], places)
    if spec.fingerprint not in {each.fingerprint for each in request.specs}:
        given = " with these --weights" if encoders_of([spec]) and places and places.given else ""
        raise CacheError(
            f"today's code{given} gives another {spec.name} than the cache holds, "
            f"{spec.fingerprint}; extract it again, or name another --feature"
        )
    image = video if "image" in spec.reads else None
    sample = Sample(id=clip_id(video), video=video, image=image)
    opened = OpenCache.at(cache, [sample])
    state = ensure([sample], replace(request, features=(spec.name,)), opened, settings=settings)
    if state.failures:
        _, _, cause, reason = state.failures[0]
        return Likes([], f"{cause}: {reason}")
    columns, _ = read_columns(
        opened.store, opened.keys.index, {spec: opened.keys.digests(spec.reads)}
    )
    if not columns[spec.name].present[0]:
        return Likes([], f"it has no {' or '.join(spec.reads)}")
    return Likes(most_like(opened.store, spec, columns[spec.name], count, without=sample.id))
