"""Words that say nothing about what somebody is after, in both languages at once.

Short on purpose: words that carry meaning in support questions ("not", "no", "off", "on", "without", "没有", "不")
stay. They are matched after folding, so Chinese is written in Simplified only.
"""

_ENGLISH = """
a an the this that these those there here
i me my mine myself we us our ours you your yours he him his she her hers it its they them their theirs
am is are was were be been being do does did doing done have has had having
will would shall should can could may might must
and or but if so as than then because while
of at by for with about to from in into onto upon between during
what which who whom whose when where why how
just also too very please some any each both such same own only
i'm i've i'll i'd you're you've you'll it's that's there's we're we've they're they've what's let's
im ive dont doesnt
"""

_CHINESE = """
的 了 吗 呢 吧 啊 呀 嘛 着 得 地 之 其 于 而 与 和 及 或 并 且 但 若 则 也 都 就 还 又 才 再 很 太
是 在 有 会 能 可 可以 能够 应该 需要 要 想 请 请问 麻烦 您好 你好 谢谢 谢谢您
我 你 您 他 她 它 我们 你们 您们 他们 她们 它们 自己 咱们 大家
这 那 这个 那个 这些 那些 这里 那里 这样 那样 此 该 本 各 每
什么 怎么 怎样 怎么样 怎么办 如何 为何 为什么 哪 哪个 哪些 哪里 谁 何 何时 多少 几 是否 是不是 有没有 能不能 可不可以
一个 一下 一些 一种 个 对 对于 关于 从 到 向 把 被 让 给 以 以及 由 由于 因 因为 所以 如果 虽然 但是 而且 然后 那么
时 时候 中 上 里
"""

STOP_WORDS: frozenset[str] = frozenset(_ENGLISH.split()) | frozenset(_CHINESE.split())
