"""What failed calls leave behind where an answer should stand, told from answers that speak of errors.

A text that is nothing but a client's message, a bare error object or an error page is a failure. One that only begins like it
("HTTP 404 means", "KeyError") may well be the answer to a question about it, so it is kept and told.
"""

from __future__ import annotations

import re

_CLIENT_ERRORS = (
    r"API(?:Connection|Timeout|Status|Response\w*)?|RateLimit|BadRequest|Authentication|PermissionDenied|InternalServer|"
    r"UnprocessableEntity|ContentFilter\w*|ServiceUnavailable|Connect(?:ion)?|(?:Read|Connect)Timeout|HTTP(?:Status)?|Client\w*|"
    r"Server\w*|OpenAI|Anthropic|GoogleAPI\w*|ResourceExhausted|JSONDecode|SSL|Proxy|Request\w*|MaxRetry"
)
_WHOLE = (
    r"nan|NaN|None|null|NULL|<NA>|(?i:error)",
    r"(?i:(?:api )?connection (?:error|refused|timed out|reset by peer|aborted))",
    r"(?i:request timed out|(?:read|connection|gateway) time-?out|timed out)",
    r"(?:HTTP(?:/\d(?:\.\d)?)?\s+)?(?:429\s+Too Many Requests|5\d\d\s+(?:Internal Server Error|Bad Gateway|Service Unavailable|"
    r"Gateway Time-?out|Server Error))",
    r"(?i:rate limit (?:exceeded|reached)\b[^\n]{0,200})",
    r"(?i:(?:api|http|server) error(?: code)?:?\s*[45]\d\d\b[^\n]{0,200})",
    r"(?i:(?:api )?(?:call|request) failed(?:[:(,][^\n]*| with [^\n]*| after [^\n]*)?)",
    r"(?i:failed to (?:obtain|get|fetch|generate)(?: an?| the)?(?: answer| response| completion| output| reply| content)?"
    r"(?: via api| from [^\n]*)?(?::[^\n]*)?)",
    r"(?:API|接口|网络|服务)?(?:请求|调用|访问)(?:失败|出错|异常)(?:[:：,，][^\n]{0,200})?",
    rf"(?:\w+\.)*(?:{_CLIENT_ERRORS})(?:Error|Exception)|(?:\w+\.)*(?:Read|Connect)Timeout",
)
_BEGINNING = (
    r"\{\s*['\"](?:status['\"]\s*:\s*['\"]error['\"]|error['\"]\s*:\s*[\{'\"])",
    r"(?i:<!DOCTYPE html|<html\b)",
    r"Traceback \(most recent call last\)",
    r"\[(?:ERROR|Error|error)\]",
    r"(?i:error)\s*:",
    r"(?i:error code\s*:\s*\d{3}\b)",
    r"(?i:(?:an )?(?:error|exception) (?:occurred )?(?:while |during |when |in )?(?:the )?"
    r"(?:calling|processing|generating|requesting|api)\b)",
    r"(?i:(?:an )?(?:error|exception) occurred\s*[:(])",
    r"(?:\w+\.)+\w*(?:Error|Exception)\s*[:(]",
    rf"(?:{_CLIENT_ERRORS})(?:Error|Exception)\s*[:(]",
)
_FAILED = re.compile(rf"\s*(?:(?:{'|'.join(_WHOLE)})\s*[.!。！…]*\s*\Z|{'|'.join(_BEGINNING)})")
_MENTIONED = re.compile(
    r"\s*(?:\w+(?:Error|Exception)\b|(?:HTTP(?:/\d(?:\.\d)?)?\s+)?[45]\d\d\s+[A-Z]|HTTP(?:/\d(?:\.\d)?)?\s+[45]\d\d\b"
    r"|(?i:api (?:call|request) failed|request (?:failed|timed out)|(?:i'm |i am )?sorry, an error occurred|exception\s*:)"
    r"|错误[:：]|(?:请求|连接|网络|服务器?|接口)(?:超时|错误|异常)\s*[.!。！]*\s*\Z)"
)


def looks_like_error(text: str) -> bool:
    """Whether a text is what a failed call left behind."""
    return _FAILED.match(text) is not None


def mentions_error(text: str) -> bool:
    """Whether a text begins as an error text does, and may be one."""
    return _MENTIONED.match(text) is not None
