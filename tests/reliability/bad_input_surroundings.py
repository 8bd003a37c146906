"""x"""

from tests.reliability.bad_input_cases import Case, Family

FAMILY = Family("surroundings", "", lambda dice, ground: Case("x", ("ls",)))
