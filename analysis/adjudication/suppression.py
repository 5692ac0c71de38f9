"""Withholds small counts from what is published, so that none of them can be worked out from what stays. Pure.

A count under 10 may point at somebody. Withholding it alone is not enough where a total is published: the total less
the other counts gives it back. So further counts are withheld until at least two are, and those withheld add up to at
least 10. Which ones follows from a secret order: a rule such as "the next smallest" would tell those who know it too
much about what it withheld. (Two counts of 9 beside one of 10: with that rule, no other two numbers could be behind
it.) So each could be one of ten numbers or more, also to somebody who knows all of this.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

MIN_COUNT = 10


@dataclass(frozen=True, slots=True)
class Published:
    """Counts of a group each, and their total; None: withheld, be it small or there to protect a small one."""

    counts: Mapping[str, int | None]
    total: int | None


def publish(counts: Mapping[str, int], secret_order: Callable[[str], bytes]) -> Published:
    """What may be published of these counts, none of them negative, with their total.

    `secret_order` gives the sorting key of each group. It must be secret, and the same whenever the same table is
    published: two exports that withheld different counts would give them all away. The total is withheld only when it
    is small itself.
    """
    total = sum(counts.values())
    withheld = {group for group, count in counts.items() if count < MIN_COUNT}
    rest = sorted(counts.keys() - withheld, key=secret_order)
    while withheld and rest and (len(withheld) < 2 or sum(counts[group] for group in withheld) < MIN_COUNT):
        withheld.add(rest.pop(0))
    shown = {group: None if group in withheld else count for group, count in counts.items()}
    return Published(shown, total if total >= MIN_COUNT else None)
