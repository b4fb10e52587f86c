"""English word lists, lower-case; what each is for stands in `language.Language`."""

STOP_WORDS = """
a able about above across actually after again against ago ah all almost along already also although always am among an and another any
anybody anyone anything anyway are around as at away back basically be became because become been before behind being below best better
between both but by came can cannot cant certain certainly could did do does doing done dont down during each either else end enough
especially etc even ever every everybody everyone everything exactly far few finally first for from further gave get gets getting give
given gives giving go goes going gone gonna good got gotta great had has have having he hello her here hers herself hi him himself his how
however i if im in inside instead into is it its itself just keep keeps kept kind know knows known last later least less let lets like
little long lot lots made make makes making many may maybe me mean means might mine more most much must my myself near nearly need needed
needs neither never new next no nobody none nor not nothing now of off often oh ok okay old on once one ones only onto or other others
otherwise ought our ours ourselves out outside over own perhaps please possible probably put puts quite rather really right said same saw
say saying says see seem seemed seems seen several shall she should simply since so some somebody someone something sometimes soon still
such sure take taken takes taking talk talking tell tells than thank thanks that the their theirs them themselves then there therefore
these they thing things think thinks this those though thought through thus til till to today together told too took toward towards tried
tries true try trying under unless until up upon us use used uses using usually very want wanted wants was way ways we well went were what
whatever when whenever where whether which while who whoever whole whom whose why will wish with within without wont would yeah yes yet
you your yours yourself yourselves youre find finds found look looks looking looked come comes coming start starts started starting stop
work works working worked call called calls ask asked asks show shows shown feel feels felt leave leaves left happen happens happened
becomes begin begins began turn turns turned help helps helped run runs move moves big small high low easy hard important different simple
main real early late easily quickly slowly tomorrow yesterday everywhere somewhere anywhere expect expects learn learned remember believe
understand alright anyways honestly literally totally obviously hey bye guys folks yep yup nope nah wanna gotta kinda sorta super wow cool
awesome
"""

TITLES = """
mr mrs ms mx mt a.k.a aka dr drs prof profs messrs mmes gov lt sgt cpl pvt capt cmdr maj rev supt insp st e.g i.e eg ie cf viz approx v vs
"""

NUMBER_SIGNS = """
no nos fig figs vol vols p pp ch sec op tel ext art ft ed eds para par al jan feb mar apr jun jul aug sept sep oct nov dec
"""

CLOSERS = """
inc ltd co corp llc plc jr sr esq bros u.s u.k u.n u.s.a e.u d.c ph.d m.d b.a m.a ave blvd rd dept est sen rep gen col
hon adm pres lb lbs min mins hr hrs secs
"""

LAST_WORDS = "etc a.m p.m b.c a.d"

TIES = """
a an the of to in on at by for with from into onto about over under between through during against without within as than like my your his
her its our their this that these those some any each every no another and or but nor so because if when while where which who whom whose
what how although unless until since is are was were be been being am has have had do does did will would can could shall should may might
must not very too more most less two three four five six seven eight nine ten i we you he she it they i'm we're you're it's they're i've
we've you've i'll we'll you'll don't doesn't didn't isn't aren't wasn't can't won't
"""

OPENERS = "and but so well okay ok yeah anyway"

ASIDES = "now right look see oh plus finally first then also actually basically yes no listen honestly obviously alright"

CLAUSE_OPENERS = "but because which so while when although if until since who where"

HESITATIONS = "uh um er erm hmm mm mmm ah uhm"

DANGLING = """
it he she they them him his its their this that these those it's that's he's she's they're they've there's they'll it'll such both neither
and but or nor so because although though which who whom whose while whereas then also too either otherwise therefore thus hence however
instead meanwhile moreover furthermore besides here's as_a_result for_that in_that at_that after_that the_same the_other the_former
the_latter one_of for_this in_this at_this after_this with_this with_that by_this by_that from_this from_that like_this like_that to_this
to_that of_this of_that her still yet later afterwards here for_example for_instance in_other_words as_i_said like_i_said on_the_other
what's_more some_of_them most_of_them many_of_them all_of_them each_of_them none_of_them some_of_these most_of_these until_then
not_only_that in_addition even_so if_so if_not by_then as_such in_contrast in_turn
"""

SPEAKER = """
i i'm i've i'll i'd me my we we're we've we'll we'd us our you're you you'll your let's
"""

EMPHASIS = """
important key main result results conclusion remember must never always mistake secret means solution best worst first essential crucial
reason
"""

HOUSEKEEPING = """
hello hi welcome subscribe subscribed subscribing sponsor sponsored sponsors sponsorship bye goodbye thanks_for thank_you see_you
good_morning good_evening good_afternoon next_video next_episode the_description like_button thumbs_up my_channel our_channel the_channel
the_comments
"""

NEVER_TAGS = """
monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays january february
march april may june july august september october november december zero one two three four five six seven eight nine ten eleven twelve
thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds
thousand thousands million millions billion billions half quarter dozen couple pair second third fourth fifth double seconds minute
minutes hour hours day days week weeks month months year years decade decades century centuries dollar dollars cent cents pound pounds
euro euros mile miles meter meters metre metres kilometer kilometers kilometre kilometres foot feet inch inches degree degrees percent
gram grams kilo kilos litre litres liter liters today tomorrow yesterday tonight morning afternoon evening night time times
"""

GENERIC = """
average thing things way ways part parts kind kinds type types case cases side sides place places moment moments topic topics idea ideas
point points people person man woman guy guys number numbers amount level reason problem problems life world rest fact bit lot example
examples name video videos channel episode show stuff step steps mistake mistakes answer answers question questions key sense end
beginning start fun truth word words everyone
"""

NOUN_MARKERS = """
the a an my your his her its our their this that these those some any each every another no of in on with from by at for into between many
few several most more two three four five six seven eight nine ten
"""

VERB_MARKERS = """
i you we he she it they who to will would can could should must may might not don't doesn't didn't can't won't let's never always just
please i'll we'll you'll they'll
"""

VERB_ENDING = r"(?:(?<=[a-z]{3})ing|(?<=[a-z]{2})ed|n't|ly)$"
NOUN_ENDING = r"(?:tions?|sions?|ments?|ness|ity|ities|ance|ence|ship|ism|ists?|logy|graphy|hood|ers?|ors?|age|ures?)$"

ANNOUNCEMENT = (
    r"(?:\btoday|\bin this (?:video|episode|talk|lesson|class|session|tutorial))(?: here)?,?"
    r" (?:we(?:'re| are) going to|i(?:'m| am) going to|we(?:'ll| will)|i(?:'ll| will)|i want to|we want to|i(?:'d| would) like to|let's)"
    r" (?:talk about|talk to you about|show you|explain|learn about|learn|look at|discuss|explore|cover|walk you through"
    r"|tell you about|see|go over)"
    r" (?P<topic>.+)"
)
