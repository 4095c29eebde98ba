"""Values that no certificate has are refused before anything is computed from them, and none is shown."""

import pytest
from support.release_world import ARM, CORPUS, TRAINING, codes, loads, rehash, with_

from lib.release import certificate
from lib.release.certificate_shape import malformed

NONSENSE = [
    ("epsilon", "8"), ("epsilon", -1.0), ("epsilon", True), ("delta", 0.0), ("units", 60.0), ("units", 1),
    ("units", True), ("records", 0), ("records", 40.0), ("run", "quick\n  VERIFIED"), ("run", "../quick"),
    ("run", "a" * 999),
    ("finished", "yesterday"), ("finished", "2026-13-41T00:00:00+00:00"), ("stage", ["11_generate"]),
    ("audit/attacked", "excellent"), ("audit/because", None), ("audit/ceiling", -1.0),
    (f"code/{ARM}/commit", "main"), (f"code/{ARM}/dirty", "no"), (f"code/{ARM}/notebook", "x"),
    (f"code/{ARM}/modules", {"lib": 1}), (f"code/{TRAINING}/settings/steps", "3"),
    (f"code/{CORPUS}/settings/topics", 1.5),
    (f"code/{TRAINING}/settings/prompt", "\x1b[8m"), (f"code/{TRAINING}/settings/lora", [[[[[[1]]]]]]),
    ("accountant/library", "dp-accounting 0.6.0; rm -rf ~"), ("accountant/discretization", "fine"),
    ("public", ["<b>all</b>"]), ("public", ["see www.example.com"]), ("decisions", "passed"),
    ("guarantee/covers", "you"), ("guarantee/epsilon", None), ("guarantee/mechanisms", 1), ("packages", {"torch": 2}),
    ("events/0/what", "![x](http://y)"), ("events/0/privacy_seed", "no"), ("events/0/new", 1), ("events", {}),
    ("card/licence", "mit\n"), ("card/metrics", [{}]), ("files/README.md/bytes", -1), ("ancestors", {"a/b": "0" * 64}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), NONSENSE, ids=[f"{path} {str(value)[:12]}" for path, value in NONSENSE])
def test_a_value_that_no_certificate_has_is_refused_and_not_shown(packed_once, path, value):
    whole = loads(packed_once / certificate.NAME)
    assert malformed(whole) == []
    changed = with_(whole, path, value)
    (first, *_) = malformed(changed)
    assert first.code == "release.malformed" and path.split("/")[0] in first.sentence
    assert "\x1b" not in first.sentence and "VERIFIED" not in first.sentence


def test_topics_that_were_counted_without_noise_are_refused(packed):
    whole = loads(packed / certificate.NAME)
    assert malformed(with_(whole, f"code/{CORPUS}/settings/topics", 4)) == []
    changed = with_(whole, f"code/{CORPUS}/settings/topics", 4)
    rehash(packed, with_(changed, f"code/{CORPUS}/settings/label_histogram_scale", None))
    assert codes(packed) == ["release.malformed"]


def test_batches_were_checked_or_they_were_not(packed):
    whole = loads(packed / certificate.NAME)
    rehash(packed, with_(whole, "events/1/checked", "yes"))
    assert codes(packed) == ["release.malformed"]
