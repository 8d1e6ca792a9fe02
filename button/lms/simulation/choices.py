"""Which template a text is about: scenarios, conversations and queries matched to the worlds by their words."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from button.lms.simulation.world import Template, World

_WORD = re.compile(r"[a-z]+")
# A keyword of the domain says less than a word of the task's own scenes.
_SCENE, _KEYWORD, _PHRASE = 3.0, 1.5, 0.6
# Below this a text is about none of the worlds: roughly one rare word of a scene, or two of a domain.
MIN_SCORE = 5.0
_STOP = frozenset(
    "a an and the of for to in on at by with from as is it its be are this that these those my me i you your we our us"
    " they them he she his her can could would will please help need want like some any all not no do does did have has"
    " had get find looking new good best what which who how when where there up out about into over after before more"
    " most one two also using use provide retrieve fetch function endpoint api json tool list information detail data"
    " create calculate convert send generate specific today interested planning friend number current latest different"
    " given based able tell give show search check available name hey hello thank thanks know question answer".split()
)


def words_of(text: str) -> list[str]:
    """The content words of a text, plurals cut."""
    return [_singular(word) for word in _WORD.findall(text.lower()) if word not in _STOP and len(word) > 2]


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


class Index:
    """Scores the tasks of a world against words; rare words count more."""

    def __init__(self, world: World) -> None:
        self.tasks = [task for domain in world.domains.values() for task in domain.tasks]
        weights: dict[str, dict[int, float]] = defaultdict(dict)
        for number, task in enumerate(self.tasks):
            own = [*task.scenes[0], *task.scenes[1]]
            phrases = [phrase.text for phrase in task.phrases]
            for texts, weight in ((phrases, _PHRASE), (world.domains[task.domain].keywords, _KEYWORD), (own, _SCENE)):
                for word in {word for text in texts for word in words_of(text)}:
                    weights[word][number] = weight
        count = len(self.tasks)
        self.weights = {
            word: [(number, weight * math.log(1 + count / len(found))) for number, weight in found.items()]
            for word, found in weights.items()
        }

    def best(self, text: str) -> Template | None:
        """The task that a text is most about, or None where nothing in it is known."""
        scores: Counter[int] = Counter()
        for word in set(words_of(text)):
            for number, weight in self.weights.get(word, ()):
                scores[number] += weight  # type: ignore[assignment]
        if not scores:
            return None
        number, score = max(scores.items(), key=lambda pair: (pair[1], -pair[0]))
        return self.tasks[number] if score >= MIN_SCORE else None


def rarest(words: Iterable[str], index: Index, count: int) -> list[str]:
    """The `count` words that say most, in the order of the text: unknown ones first, then rare ones."""
    kept = list(dict.fromkeys(words))
    chosen = sorted(kept, key=lambda word: (len(index.weights.get(word, ())), kept.index(word)))[:count]
    return [word for word in kept if word in chosen]
