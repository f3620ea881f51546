"""Characters that people take for one another: those that sound alike, and those that look alike.

An input method offers all characters of a syllable, and the wrong one is a slip of the finger. Readings come from
pypinyin's data (MIT), without its module, which would keep 55 MB of phrases in memory.
"""

import functools
import importlib.util
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path

# Characters that are read in more than one way every day; of all others only the first reading counts, since the
# further ones are rare or old.
_MANY_READINGS = """
行重长乐调还得地着了都没传弹藏曾处当倒发分干更给好号和会几假间降将结解尽卷看空累量率落难宁强切曲少舍盛石数似提为系相
兴血要应载脏扎朝折正中种转作薄便差单大盖供冠喝划混奇角教觉卡模铺散色省什识宿同吐咽背奔别并参称冲创答打担的斗度恶
佛服隔勾观汗横哗晃积夹监见禁据圈论抹磨泡炮片漂屏仆任塞丧扇圣属说缩拓帖弯鲜校宣旋压仰殷饮与予晕涨只占症轴属追着
"""

# Groups of our own: what is mistaken on paper, on a small screen, or by a method that goes by shapes.
_LOOK_ALIKE = """
己已巳 未末 人入八 土士 日曰目 大太犬天夫 干千于 戊戌戍 辨辩辫瓣 密蜜 帐账胀 作做 象像 以已 侯候 拔拨泼 析折拆 历厉
栗粟 治冶 晴睛情清请 侍待 贷货 博搏膊 烧浇绕挠 技枝 抱抛 毫豪 即既 陪赔培 暴爆瀑 崇祟 粱梁 竞竟 籍藉 茶荼 幻幼 徒徙
赢羸 券卷 炙灸 谒竭 撤撒 壁璧 遣遗 刺剌 复覆 具俱 决诀 坐座 须需 震振 掉调 很狠 买卖 申由甲田 问间闻 贝见 王玉主
失矢 刀力 牛午 今令 住往 外处 师帅 设没 话活 输愉 续读 板版 检捡 付附 份分 型形 模摸 抄钞 拦栏 挂桂 码妈 订钉 登瞪
存在 服报 讯汛 购构 域城 址扯 缆揽
"""


def alike(char: str) -> str:
    """The Simplified characters that one may have been typed for, itself not among them; "" for a rare one."""
    return _alike().get(char, "")


@functools.cache
def _alike() -> Mapping[str, str]:
    """Built when first asked for (60 ms), 2 MB."""
    by_sound: dict[str, list[str]] = {}
    readings = {char: _sounds(sounds)[: 2 if char in _MANY_READINGS else 1] for char, sounds in _readings().items()}
    for char, sounds in readings.items():
        for sound in sounds:
            by_sound.setdefault(sound, []).append(char)
    found = {
        char: dict.fromkeys(each for sound in sounds for each in by_sound[sound]) for char, sounds in readings.items()
    }
    for group in _LOOK_ALIKE.split():
        for char in group:
            found.setdefault(char, {}).update(dict.fromkeys(group))
    return {char: "".join(each for each in others if each != char) for char, others in found.items()}


def _readings() -> dict[str, str]:
    """The pronunciations of the characters of GB 2312 with tone marks, most usual first, with commas."""
    spec = importlib.util.find_spec("pypinyin")
    assert spec is not None
    assert spec.origin is not None
    data = json.loads(Path(spec.origin).with_name("pinyin_dict.json").read_text(encoding="utf-8"))
    return {char: data[str(ord(char))] for char in _gb2312() if str(ord(char)) in data}


def _gb2312() -> str:
    """The 6,763 characters in use, the 3,755 most common ones first."""
    rows = range(0xB0, 0xF8)
    return b"".join(bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF)).decode("gb2312", "ignore")


def _sounds(readings: str) -> list[str]:
    """Syllables without tones: "háng,xíng" gives ["hang", "xing"]; ü is v."""
    toneless = []
    for reading in readings.split(","):
        marks = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
        toneless.append("".join(char for char in marks if not unicodedata.combining(char)))
    return list(dict.fromkeys(toneless))
