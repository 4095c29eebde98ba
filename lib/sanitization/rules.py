"""The rewriter that asks no model: ranks, words and instructions come from tables in prompts/sanitization."""

from lib.generation.workflow import GaveUp, Steps
from lib.sanitization import instructions
from lib.sanitization.case import Case
from lib.sanitization.rule_edits import LEVELS, RuleEdits
from lib.sanitization.rule_table import RuleTable, table
from lib.sanitization.sanitize import Rewritten
from lib.sanitization.schema import edited

LEAK = "a value is still there"  # reason of a try


class Rules:
    """Implements `lib.sanitization.sanitize.Rewriter` with `lib.sanitization.rule_table`.

    Args:
        rules: the table; None: that of prompts/sanitization/rules.yaml.
    """

    def __init__(self, rules: RuleTable | None = None):
        self.rules = rules or table()

    def order(self, case: Case) -> Steps[list[str]]:
        """By the rank of each attribute's kind, direct ones first within a rank, then as the text tells them.

        Args:
            case: the record.
        """

        def rank(one) -> tuple[int, bool, int]:
            return self.rules.kinds[self.rules.kind(one)].rank, not one.direct, one.places[0].start

        return [one.name for one in sorted(case.original.attributes, key=rank)]
        yield  # asks nothing

    def rewrite(self, case: Case) -> Steps[Rewritten]:
        """Each try has vaguer words, until the text tells no target any more.

        Args:
            case: the record with its targets.

        Raises:
            lib.generation.workflow.GaveUp: the vaguest words still tell one.
        """
        original = case.original
        made = RuleEdits(original.text, original.attributes, case.at, case.targets, original.labels, self.rules)
        for level in range(LEVELS):
            edits = made.edits(level)
            if not case.still_told(edited(original.text, edits), case.targets.names):
                at = {name: case.at[name] for name in case.targets.names}
                return Rewritten(made.strategies(level), edits, at)
        raise GaveUp("rewrite", (LEAK,) * LEVELS)
        yield  # asks nothing

    def instruction(self, case: Case, spoken: dict[str, tuple[str, ...]]) -> Steps[str]:
        """Phrases of prompts/sanitization/instructions.yaml, put together.

        Args:
            case: the record with its targets.
            spoken: what it names.
        """
        return instructions.natural(spoken, case.rng("instruction"))
        yield  # asks nothing
