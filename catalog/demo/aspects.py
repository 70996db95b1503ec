"""What reviews talk about: aspects, and the phrases that praise or blame them.

`reviews.py` makes sentences of these; nothing else reads them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Aspect:
    """A thing that a review can like or dislike; `name` is also its topic label."""

    name: str
    subjects: tuple[str, ...]  # noun phrases in the singular
    praise: tuple[str, ...]  # predicates that follow a subject
    blame: tuple[str, ...]


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split(" | "))


def _aspect(name: str, subjects: str, praise: str, blame: str) -> Aspect:
    return Aspect(name, _phrases(subjects), _phrases(praise), _phrases(blame))


ASPECTS = (
    _aspect(
        "battery",
        "the battery | battery life | the battery life",
        "lasts for days | holds its charge for a whole week | still has half its charge after a "
        "long day | charges in under an hour | keeps going and going",
        "dies after two hours | barely survives the morning | drains overnight | takes forever to "
        "charge | is empty by noon",
    ),
    _aspect(
        "price",
        "the price | the cost | what it costs",
        "is more than fair | is a bargain | is hard to beat | leaves money for other things | is "
        "lower than anywhere else",
        "is far too high | is outrageous | is twice what it should be | is hard to justify | is "
        "simply robbery",
    ),
    _aspect(
        "delivery",
        "the delivery | shipping | the shipping",
        "took only one day | was right on time | came earlier than promised | was quick and "
        "friendly | went without a hitch",
        "took three weeks | was two weeks late | went to the wrong address | was delayed again and "
        "again | left the parcel in the rain",
    ),
    _aspect(
        "screen",
        "the screen | the display",
        "is bright and sharp | shows every detail | is readable even in full sun | has rich "
        "colours | is a joy to look at",
        "flickers all the time | is dim and blurry | scratched on the first day | has dead pixels "
        "| is unreadable outdoors",
    ),
    _aspect(
        "comfort",
        "the comfort | the fit | the padding",
        "makes long days easy | is soft and snug | makes me forget that I wear it | is just right "
        "for my back | stays pleasant for hours",
        "leaves red marks | hurts after ten minutes | pinches everywhere | gives me a sore back | "
        "is stiff and scratchy",
    ),
    _aspect(
        "support",
        "the support | customer service | the support team | the hotline",
        "answered within minutes | solved my problem at once | was patient and kind | called me "
        "back the same day | replaced the part for free",
        "never answered my letters | hung up on me | kept me waiting for an hour | sent me in "
        "circles | refused to help",
    ),
    _aspect(
        "sound",
        "the sound | the audio | the sound quality",
        "is rich and clear | fills the whole room | has a deep, warm bass | makes old records "
        "shine | is crisp at any volume",
        "crackles at low volume | is tinny and flat | cuts out every few minutes | hisses in quiet "
        "passages | is muffled",
    ),
    _aspect(
        "design",
        "the design | the look | the styling",
        "turns heads | is elegant and simple | suits every room | is a small work of art | gets "
        "compliments from every guest",
        "is clumsy and dated | looks like a toy | is plain ugly | collects every fingerprint | "
        "clashes with everything",
    ),
    _aspect(
        "size",
        "the size | its size",
        "is perfect for a small flat | fits into any bag | is exactly as described | leaves room "
        "on the shelf | is handy for travel",
        "is nothing like the picture | is too big for my desk | is much too small for a family | "
        "makes it useless in my kitchen | is a nuisance",
    ),
    _aspect(
        "quality",
        "the quality | build quality | the workmanship",
        "is solid as a rock | will last for years | shows care in every seam | survived two falls "
        "| feels like real craft",
        "is shoddy | fell apart within a week | shows loose screws and sharp edges | is not what I "
        "paid for | reminds me of cheap plastic",
    ),
    _aspect(
        "software",
        "the software | the app | the firmware",
        "works from the first minute | is clear and fast | gets useful updates | connects without "
        "fuss | never lost my settings",
        "crashes every day | freezes at the login | forgets all my settings | needs an account for "
        "everything | lost my data after an update",
    ),
    _aspect(
        "packaging",
        "the packaging | the box | the wrapping",
        "kept everything safe | was neat and free of plastic | opens without a knife | was good "
        "enough to give away as a gift | can be used again",
        "was torn and wet | was crushed at one corner | was a mountain of plastic | was already "
        "open | needed an hour and a saw",
    ),
    _aspect(
        "instructions",
        "the manual | the instruction booklet | the guide",
        "explains everything step by step | is short and clear | has helpful drawings | answered "
        "all my questions | makes setup child's play",
        "is missing half the steps | is full of mistakes | comes in one language that I cannot "
        "read | explains nothing | contradicts itself",
    ),
    _aspect(
        "weight",
        "the weight | its weight",
        "is barely noticeable | makes it easy to carry | is well balanced in the hand | is half "
        "that of my old one | suits a long walk",
        "tires my arms | makes it a brick | is double what the page says | pulls at my shoulder | "
        "rules it out for trips",
    ),
    _aspect(
        "noise",
        "the noise | the noise level | the hum",
        "is next to nothing | never woke the baby | is lower than a whisper | cannot be heard in "
        "the next room | bothers nobody",
        "drowns out the radio | wakes the whole house | is like a jet engine | gives me a headache "
        "| scares the cat",
    ),
    _aspect(
        "cleaning",
        "the cleaning | cleaning it | washing it",
        "takes one minute | is effortless | needs only a damp cloth | is done by the dishwasher | "
        "is no trouble at all",
        "takes half an evening | is a nightmare | needs a toothbrush and patience | leaves stains "
        "every time | means taking it all apart",
    ),
    _aspect(
        "taste",
        "the taste | the flavour",
        "is fresh and full | reminds me of summer | is rich without being heavy | wins over even "
        "my children | is deep and round",
        "is bitter and burnt | is bland | reminds me of cardboard | has a note of metal | is far "
        "too sweet",
    ),
    _aspect(
        "smell",
        "the smell | the scent | the odour",
        "is fresh and light | is pleasant all day | makes the room feel clean | is like a forest "
        "after rain | is gone after an hour",
        "is like burnt rubber | fills the whole flat with chemicals | will not go away | makes my "
        "eyes water | is musty",
    ),
    _aspect(
        "plot",
        "the plot | the story | the storyline",
        "kept me guessing until the end | is clever and moving | never drags | has a twist that "
        "works | carries you along",
        "makes no sense | is full of holes | drags for two hours | is told in every other film | "
        "gives away the end at once",
    ),
    _aspect(
        "acting",
        "the acting | the cast | the lead actor",
        "is full of life | carries the whole film | moved me to tears | makes each scene "
        "believable | deserves a prize",
        "is wooden | is painful to watch | reads the lines like a phone book | ruins every scene | "
        "never convinced me",
    ),
    _aspect(
        "food",
        "the food | the breakfast | dinner | the meal",
        "was fresh and plentiful | was cooked to perfection | came hot and tasty | made us come "
        "back twice | had something for everyone",
        "was cold and greasy | made me ill | was the same each day | came an hour late | tasted of "
        "nothing",
    ),
    _aspect(
        "staff",
        "the staff | the waiter | the receptionist",
        "went out of the way for us | remembered our names | smiled all day | helped with every "
        "bag | made us feel at home",
        "ignored us | was rude to my mother | shrugged at every question | lost our booking | "
        "could not care less",
    ),
    _aspect(
        "room",
        "the room | our room | the bedroom",
        "was spotless and quiet | had a view of the sea | was large and sunny | had the best bed "
        "in years | was warm and cosy",
        "was dirty | had mould on the walls | faced a loud street | was freezing | was the size of "
        "a cupboard",
    ),
    _aspect(
        "product",
        "the product | this product | this thing | the whole thing | the purchase",
        "does all it should | works perfectly | makes me happy | is worth every cent | was the "
        "right choice",
        "does nothing right | does not work | broke at once | is a waste of money | was a mistake",
    ),
)  # fmt: skip

BY_NAME = {a.name: a for a in ASPECTS}

# What fits every aspect. In frames, {x} is the subject and {n} the same without its article.
PRAISE_ADJECTIVES = _phrases(
    "excellent | great | superb | wonderful | fantastic | good | amazing | perfect | outstanding | "
    "brilliant | lovely | top notch | impressive | awesome | nice | pleasant | first class | "
    "splendid | terrific | marvellous | beautiful | ideal | remarkable | flawless | satisfying | "
    "delightful | incredible | convincing | exceptional | admirable | stunning | solid"
)
BLAME_ADJECTIVES = _phrases(
    "terrible | bad | awful | poor | horrible | disappointing | dreadful | lousy | mediocre | "
    "useless | unacceptable | annoying | pathetic | abysmal | inferior | miserable | weak | "
    "ridiculous | embarrassing | unpleasant | frustrating | hopeless | appalling | shameful | "
    "atrocious | nasty | faulty | a mess | a disaster | a letdown | a joke | below average"
)
PRAISE = _phrases(
    "is the best part | exceeded my expectations | could not be better | was better than expected "
    "| pleased everyone | won me over | was a pleasant surprise | works well | makes me smile | "
    "leaves nothing to be desired | deserves five stars | is worth it"
)
BLAME = _phrases(
    "is the worst part | let me down | could be much better | was worse than expected | annoys me "
    "every day | spoils everything | was an unpleasant surprise | needs a lot of work | makes me "
    "angry | leaves a lot to be desired | deserves no star | is a problem"
)
PRAISE_FRAMES = _phrases(
    "I love {x} | I really like {x} | I am happy with {x} | I am impressed by {x} | my favourite "
    "part is {x} | we are delighted with {x} | full marks for {x} | I cannot praise {x} enough | "
    "I have nothing but praise for {x} | what I like most is {x} | I like {x} | five stars for {x} "
    "| hats off to {x} | I enjoy {x} | we loved {x} | I liked {x} | love {x} | {a} {n} | {a} {n} | "
    "very {a} {n} | thumbs up for {x} | I was pleased with {x}"
)
BLAME_FRAMES = _phrases(
    "I hate {x} | I really dislike {x} | I am unhappy with {x} | I am disappointed by {x} | what "
    "bothers me most is {x} | we are frustrated with {x} | no marks for {x} | I cannot recommend "
    "{x} | I have nothing but trouble with {x} | the weak point is {x} | I do not like {x} | one "
    "star for {x} | shame about {x} | I am tired of {x} | we hated {x} | I disliked {x} | hate {x} "
    "| {a} {n} | {a} {n} | very {a} {n} | thumbs down for {x} | I was annoyed by {x}"
)
ADVERBS = _phrases("really | very | so | absolutely | simply | quite | truly | just | rather")
# The product as a whole.
PRODUCT_PRAISE = _phrases(
    "I love it | it is {a} | it was {a} | it works as it should | best purchase in years | I am "
    "very happy with it | highly recommended | we like it a lot | {a} buy | could not be happier "
    "with it"
)
PRODUCT_BLAME = _phrases(
    "I hate it | it is {a} | it was {a} | it does not work | worst purchase in years | I am very "
    "unhappy with it | do not buy it | we do not like it at all | {a} buy | it broke after a week"
)
# Sentences that say nothing about liking.
NEUTRAL = _phrases(
    "I bought it for my sister. | I have had it for three weeks now. | We use it every day. | This "
    "is my second one. | I ordered it in spring. | My neighbour has the same one. | It was a "
    "birthday present. | I use it mostly at weekends. | I read many reviews before I chose. | We "
    "are a family of four. | I am writing this after a month. | My old one broke last year. | I "
    "work from home. | I compared it with two others. | It stands in the hall. | My daughter asked "
    "for it. | This is my first review. | I took it along on holiday. | I chose the blue one. | We "
    "moved house in June. | I am not an expert. | There is also a red version. | I tried it on a "
    "Sunday afternoon. | My husband found it. | It came with a spare part. | I paid by card."
)
PRAISE_OPENERS = (
    "Luckily,",
    "To my delight,",
    "On the plus side,",
    "Happily,",
    "The good news:",
)
BLAME_OPENERS = (
    "Sadly,",
    "Unfortunately,",
    "On the downside,",
    "Alas,",
    "The bad news:",
)
PLAIN_OPENERS = ("Also,", "In addition,", "For me,", "After a month,", "So far", "I must say,",
                 "In my experience,", "Honestly,", "Overall,")  # fmt: skip
PRAISE_CLOSERS = ("I would buy it again.", "Recommended.", "I am very happy.", "Thank you!",
                  "A good choice.", "Well done.")  # fmt: skip
BLAME_CLOSERS = ("I want my money back.", "Never again.", "I am sending it back.", "Avoid.",
                 "I regret buying it.", "What a waste.")  # fmt: skip
MIXED_CLOSERS = ("Make up your own mind.", "It depends on what you need.", "So-so.",
                 "Good and bad in one box.")  # fmt: skip
