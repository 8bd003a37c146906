"""x"""
from tests.reliability.bad_input_cases import Case, Family

FAMILY = Family("data", "", lambda dice, ground: Case("x", ("ls",)))
