"""Letters in Chinese answers, where no space parts a letter from a word."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from siuo_async.benchmarks.data.csqa_data import load_csqa
from siuo_async.judging import letters_alone, parse_letter

# "text -> letter", `-` for none; line breaks written as \n.
EXPLAINED = r"""
正确选项是A。选项B错误。 -> A|正确答案是A，因为选项B是错误的 -> A|选A，不选B -> A|选A，因为选B不符合题意 -> A|答案不是A而是B -> B
本题答案为C，不应选A -> C|正确答案是C。注意不要选A -> C|A：错误\nB：正确\nC：错误\nD：错误 -> B|选A不选B -> A|应选B不应选A -> B
A而非B -> A|B（不选A） -> B|B，因为A违法 -> B|很多人误选B，正确答案是A -> A|排除选项A、B、D，故选C -> C|A、C、D均错误，B正确 -> B
A（红色）错误，B（绿色）正确。 -> B|A：红色，错误。B：绿色，正确。 -> B|既不是A也不是C，而是D -> D|我不确定，但答案是A -> A|B错A对 -> A
题目要求选出错误的一项：A正确；B错误；C正确。答案B -> B|不属于的是D -> D|D不属于，因此选D -> D|C（其他选项均不正确） -> C|不得不选A -> A
A。因为B错 -> A|A没错 -> A|未成年人应选B -> B|特别是B -> B|选A。维生素D缺乏所致 -> A|我的答案：\nB -> B|只有C符合题意 -> C
用排除法选C -> C|我选A. 红色，B. 绿色：错误 -> A|B\n解析：A、C、D项均不符合题意。 -> B|答案是A。不对，答案是B。 -> B
如果选A则违法，所以选B -> B
Answer: B。A不正确。 -> B
"""
TURNED_DOWN = r"""
A是错误的|A不正确|不应选择A|答案不是A|A 不是正确答案|我不认为正确的答案是A|不选A、B|不能选选项A和选项B|选项A、D错误|而非B
是不是A？|A正确吗？|如果选B，则不符合题意|不建议选A|我不知道选A还是选B|A、B、C都正确|四个选项A、B、C、D|正确答案是A。正确答案是B。
B\n解析：应当选A|我选A，我选B|A股是人民币普通股|C语言是一种语言|答案：A级|A 类火灾|A应排除|选A的人忽略了规定|缺乏维生素D
"""
OPENING = (
    "B.2013年|B：2013年|B、2013年|B，2013年|B）2013年|B 2013年|B.绿色|B：绿色|B、绿色|B）绿色|B 绿色|B。绿色|B、《刑法》|B.5年|B 是|B项"
)
# X is the option chosen, with the text T; Y another, with the text U.
REPLIES = r"""
X、T|X.T|X：T|X）T|X T|X. T|(X) T|（X）T|X，T|X。T|**X. T**|X\nT|X: T（Y不正确）|X，T。Y错误。|X T，不选Y U|```\nX. T\n```|X。因为Y错
答案：X. T|答案是X。T|正确答案是X。选项Y错误。|正确答案是X，因为选项Y是错误的|选X，不选Y|选X，因为Y不符合题意|答案不是Y而是X
选项X T|Y错X对|本题答案为X，不应选Y|正确答案是X。注意不要选Y|正确答案是X：T。选项Y（U）不符合规定。|我选X：T，Y：U是错误的
选择X（T），而不是Y（U）|应该是X T|Y（U）错误，X（T）正确。|Y：U，错误。X：T，正确。|不是Y. U，而是X. T
虽然Y. U看似合理，但正确答案是X. T|X. T\nY. U是错误选项|根据规定，T，故选X。|X选项“T”正确，Y选项“U”错误。|答案是“X. T”
答案：X\n解释：T。Y. U不符合题意。|【答案】X\n【解析】Y项错误，U；X项正确，T。
"""


def entries(table: str) -> list[str]:
    return table.strip("\n").replace("\n", "|").replace(r"\n", "\n").split("|")


@pytest.mark.parametrize("entry", entries(EXPLAINED))
def test_a_letter_that_is_explained_away_is_not_the_answer(entry: str) -> None:
    text, _, letter = entry.rpartition(" -> ")
    assert parse_letter(text, "ABCD", "corrected") == letter


@pytest.mark.parametrize("text", entries(TURNED_DOWN))
def test_a_letter_that_is_turned_down_or_disputed_is_no_answer(text: str) -> None:
    assert parse_letter(text, "ABCD", "corrected") is None


@pytest.mark.parametrize("text", entries(OPENING))
def test_a_letter_before_its_option_is_read(text: str) -> None:
    assert parse_letter(text, "ABCD", "corrected") == "B"


@pytest.mark.parametrize("form", entries(REPLIES))
def test_every_form_of_reply_is_read_for_the_released_options(shared: Path, form: str) -> None:
    for sample in load_csqa(shared / "upstream-data", need_options=True).samples[::20]:
        options = sample.fields["options"]
        letters = "".join(options)
        for chosen, other in zip(letters, letters[1:] + letters[0], strict=True):
            values = {"X": chosen, "Y": other, "T": options[chosen], "U": options[other]}
            text = "".join(values.get(mark, mark) for mark in form)
            assert parse_letter(text, letters, "corrected") in (chosen, None), text
            assert parse_letter(letters_alone(text, options), letters, "corrected") == chosen, text


@pytest.mark.parametrize(
    "text, options, letter",
    [
        ("B. 错误", {"A": "正确", "B": "错误"}, "B"),
        ("B.不可以。", {"A": "可以", "B": "不可以"}, "B"),
        ("B：A、C、D都是", {"A": "甲", "B": "A、C、D都是"}, "B"),
        ("A.是", {"A": "是", "B": "否"}, "A"),
        ("A是错误的", {"A": "是", "B": "否"}, None),
        ("Ａ．甲＋乙", {"A": "甲+乙"}, "A"),
        ("B. wrong", {"A": "right", "B": "wrong"}, "B"),
        ("A", {"A": "", "B": " "}, "A"),
    ],
)
def test_an_options_own_words_say_nothing_about_it(text: str, options: dict[str, str], letter: str | None) -> None:
    assert parse_letter(letters_alone(text, options), "ABCD", "corrected") == letter


@pytest.mark.parametrize("scrap", ["选A,", "不A", "A、", "如果", "B(A", "A红", "答案:\n", "不选A、", "A红" + "红" * 60])
def test_long_chinese_texts_are_read_in_time_that_grows_with_their_length(scrap: str) -> None:
    started = time.process_time()
    parse_letter(scrap * 5_000, "ABCD", "corrected")
    assert time.process_time() - started < 4


@pytest.mark.parametrize(
    "text, letter",
    [
        ("答案是C", "C"),
        ("A不对，答案是C", "C"),
        ("不是A，答案是C", "C"),
        ("A选项不正确，正确答案是C", "C"),
        ("我认为是C", "C"),
        ("应该是B。", "B"),
        ("选B", "B"),
        ("B是正确的", "B"),
        ("答案：D", "D"),
        ("A或B", None),
        ("A和B都可以", None),
        ("A、B", None),
        ("选项A还是选项B", None),
        ("我不知道。", None),
    ],
)
def test_a_letter_in_chinese_prose_is_read_as_a_reader_would(text: str, letter: str | None) -> None:
    assert parse_letter(text, "ABCD", "corrected") == letter
