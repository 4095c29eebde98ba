"""What the records of a pack are: its files, and the words of its card. Light: `verify` imports it."""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.methods.registry import IMAGE_ARMS, TABLE_ARMS
from lib.stage.notebook_roles import current_name, notebook_of


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the records of a pack are. Every attribute but the first three is a part of a sentence of its card.

    Attributes:
        synthetic: the file of a stage that holds them.
        files: of a pack beside its certificate; the second one holds the records, and its hash is named.
        tasks: of Hugging Face, for all packs and for those with labels.
        many: all of them.
        piece: one of them, where the unit is a record.
        untitled: they, where nothing is known of the corpus.
        made: what stands between them and their corpus.
        tells: what one unit tells, by unit.
        whose: what somebody has to do with k of them.
        cleaned: what happened to the corpus before.
        rules: what that looks at.
        copied: when a unit counts as copied; empty where the card leaves that to Doppel's own words.
        invented: what nobody vouches for.
        real: what a metric would compare with.
        terms: whose terms bind too.
    """

    synthetic: str
    files: tuple[str, ...]
    tasks: tuple[tuple[str, ...], tuple[str, ...]]
    many: str
    piece: str
    untitled: str
    made: str
    tells: Mapping[str, str]
    whose: str
    cleaned: str
    rules: str
    copied: str
    invented: str
    real: str
    terms: str

    def unit(self, unit: str) -> str:
        """A ``unit`` of a ledger, as the card calls it."""
        return self.piece if unit == "record" else unit


TEXTS = Kind(
    synthetic="synthetic.jsonl",
    files=("README.md", "records.jsonl", "records.parquet"),
    tasks=(("text-generation",), ("text-classification",)),
    many="texts",
    piece="record",
    untitled="text records",
    made="a language model wrote them, guided by",
    tells={"record": "one record says", "user": "one user wrote, in all of their records"},
    whose="wrote",
    cleaned="the corpus was cleaned and a part of it was held out",
    rules="looks at one {unit} alone, or counts equal records once",
    copied="",
    real="real text",
    invented="A model wrote the texts: they may be wrong, odd or offensive, and what they say of anything is invented.",
    terms="The terms of the model that wrote the texts, and of the corpus, may bind it too.",
)
PICTURES = Kind(
    synthetic="synthetic.parquet",
    files=("README.md", "records.parquet"),
    tasks=(("unconditional-image-generation",), ("image-classification",)),
    many="pictures",
    piece="picture",
    untitled="pictures",
    made="they were made from",
    tells={"record": "one picture shows", "user": "one user's pictures show, all together"},
    whose="is in",
    cleaned="the pictures were brought to one shape and a part of them was held out",
    rules="looks at one {unit} alone, or counts equal pictures once",
    copied="A private picture counts as copied where one of these differs from it by at most 0.02 of the range from "
    "black to white (root mean square, in grey, at 16 x 16 pixels). One that is turned, mirrored or cut is not found.",
    real="real pictures",
    invented="Nobody looked at each picture: some may be wrong, odd or offensive, or not show their labels.",
    terms="The terms of what the pictures were made with (a model, a public set, fonts), and of the corpus, may bind "
    "it too.",
)
ROWS = Kind(
    synthetic="synthetic.jsonl",
    files=("README.md", "records.csv", "records.parquet"),
    tasks=((), ("tabular-classification",)),
    many="rows",
    piece="row",
    untitled="rows of a table",
    made="they were made from",
    tells={"record": "one row says", "user": "one user's rows say, all together"},
    whose="has",
    cleaned="the rows were fitted to the declared domain and a part of them was held out",
    rules="looks at one {unit} alone",
    copied="A private row counts as copied where one of these is equal to it in every column.",
    real="real rows",
    invented="A program drew the rows: what they say of anything is invented, and some may be impossible.",
    terms="The terms of the corpus may bind it too.",
)
KINDS = (TEXTS, PICTURES, ROWS)


def of_stage(stage: str) -> Kind:
    """What an arm is made of.

    Args:
        stage: its id; what is no arm of pictures or rows is one of texts.
    """
    notebook = current_name(notebook_of(stage))
    return PICTURES if notebook in IMAGE_ARMS else ROWS if notebook in TABLE_ARMS else TEXTS
