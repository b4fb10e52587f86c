"""Spanish word lists, lower-case; what each is for stands in `language.Language`."""

STOP_WORDS = """
a al algo alguien algún alguna algunas alguno algunos allá allí ambos ante antes apenas aquel aquella aquellas aquello aquellos aquí así
aun aún aunque bajo bastante bien buen buena buenas bueno buenos cada casi cierta cierto como cómo con conmigo contigo contra cual cuál
cuales cuáles cualquier cualquiera cuando cuándo cuanta cuánta cuanto cuánto cuantos cuántos de debajo del demasiado demás dentro desde
después detrás donde dónde durante e el él ella ellas ello ellos en encima enseguida entonces entre era erais éramos eran eras eres es esa
esas ese eso esos esta está estaba estabais estábamos estaban estado estáis estamos están estando estar estará estas estás este esté estén
esto estos estoy estuve estuvo estuvieron fin fue fuera fueran fueron fui fuimos gran grande grandes ha haber había habían habíamos habrá
han has hasta hay haya hayan he hemos hube hubo incluso jamás junto la las le les lejos lo los luego más mal mas me mejor menos mi mía
mías mientras mío míos mis misma mismas mismo mismos mucha muchas muchísimo mucho muchos muy nada nadie ni ningún ninguna ninguno no nos
nosotras nosotros nuestra nuestras nuestro nuestros nunca o os otra otras otro otros para peor pero poca pocas poco pocos por porque
pronto propia propio propios pues que qué quien quién quienes quiénes quizá quizás se sea sean seamos según ser será serán sería serían si
sí sido siempre siendo siguiente siguientes sin sino so sobre sois solamente solo sólo somos son soy su sus suya suyas suyo suyos tal
tales también tampoco tan tanta tantas tanto tantos te tenía tenían ti toda todas todavía todo todos tras tu tú tus tuya tuyo un una unas
uno unos usted ustedes u va vamos van varias varios vaya ve veces vez vosotras vosotros voy vuestra vuestro y ya yo puede pueden puedes
puedo podemos poder podía podían podría podrían pueda puedan podrá podrán pudo tiene tienen tienes tengo tenemos tener tenga tengan tuvo
tuvieron tendrá tendrán tendría teniendo hace hacen haces hago hacemos hacer hacía hacían haga hagan hizo hicieron hará harán haría
haciendo hecho dice dicen dices digo decimos decir decía decían diga digan dijo dijeron dicho diciendo quiere quieren quieres quiero
queremos querer quería quisiera sabe saben sabes sé sabemos saber sabía sepa debe deben debes debo debemos deber debería deberían debía
ver ves vemos veo ven vio visto viendo veremos verá veamos da dan das doy damos dar dio dieron dado dando ir iba iban íbamos ido yendo irá
vas fuéramos viene vienen vengo venir vino pasa pasan pasar pasó pasado pasando deja dejan dejar dejó dejado llega llegan llegar llegó
llegado queda quedan quedar quedó lleva llevan llevar llevó llevamos llevado sigue siguen seguir siguió pone ponen poner puso puesto
ponemos pon cree creen creo creer crees creemos parece parecen parecer necesita necesitan necesitamos necesitas necesitar empieza empiezan
empezar empezó empezamos empezando usa usan usar usamos usando usó hablar hablamos habla hablando hablado nuevo nueva nuevos nuevas primer
primera primero primeros último última últimos únicamente único única además ahora ahí alrededor adelante atrás arriba abajo cerca ayer
hoy mañana tarde temprano ejemplo posible importante mayor mayoría menor mediante realmente simplemente exactamente prácticamente
básicamente normalmente gracias claro vale okay ok oye oiga mira miren mire venga vaya anda verdad exacto genial perfecto digamos nah ajá
ojalá acaso
"""

TITLES = """
d dª dña dr dra dres dras ee esq excmo excma fr gral hno hna ilmo ilma ing lic mtro mtra pbro prof profa profs pdte pdta sr sra sres sras
srta srtas srto sto sta cnel tte sgto arq abog admón admon av avda aprox cf cfr depto dpto ej entlo ibíd ibid izq lcda lcdo mons p
p.ej rda rdo univ s.s v.gr vda
"""

NUMBER_SIGNS = """
art arts cap fig figs n núm núms nro op pág págs pp párr ref tel telf tít tfno trad vol vols máx mín c col ene feb mar abr may jun jul
ago sept set oct nov dic
"""

CLOSERS = """
uu cía co corp inc ltd s.a s.l s.l.u s.a.u s.r.l e.u e.u.a u.s ee.uu hnos jr vs cm kg km min seg hab ph.d
"""

LAST_WORDS = "etc a.m p.m a.c d.c"

TIES = """
el la los las un una unos unas lo al del a ante bajo con contra de desde durante en entre hacia hasta mediante para por según sin sobre
tras mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta estos estas ese esa esos esas aquel aquella cada cualquier algún
alguna algunos algunas ningún ninguna otro otra otros otras todo toda todos todas y e o u ni que si pero porque cuando como donde aunque
pues sino mientras muy más menos tan no me te se le les nos os ha han he hemos había habían es son está están era fue ser puede pueden
debe deben va van vamos gran dos tres cuatro cinco seis siete ocho nueve diez mil
"""

OPENERS = "y e pero bueno entonces pues"

ASIDES = """
bien vale mira miren oye ojo además también ahora claro así ok okay luego total primero finalmente realmente obviamente digamos sí no
"""

CLAUSE_OPENERS = "pero porque aunque cuando mientras donde sino pues para si"

HESITATIONS = "eh ehm em emm mm mmm ah uh um hum"

DANGLING = """
él ella ellos ellas ello esto eso aquello este esta estos estas ese esa esos esas aquel aquella aquellos aquellas lo le les su sus es son
está están era eran fue fueron tiene tienen tenía tenían puede pueden ahí allí así tal tales porque aunque que cual cuales quien quienes
cuyo cuya donde mientras sino ni y e o u pero pues entonces además también tampoco ambos ambas por_eso por_lo por_tanto por_ello
sin_embargo no_obstante de_ahí en_cambio es_decir o_sea el_cual la_cual del_mismo no_es no_son con_eso
con_esto con_ello por_esto para_eso para_esto para_ello de_eso de_esto de_ello en_eso en_esto en_ello a_eso a_esto a_ello sobre_eso sin_eso
luego asimismo igualmente dicho dicha dichos dichas por_ejemplo por_otro_lado por_otra_parte por_su_parte por_consiguiente con_lo_cual se_lo
se_la de_modo_que de_manera_que de_todas_formas de_todos_modos el_mismo la_misma lo_mismo a_su_vez aun_así más_tarde ahora_bien en_fin
de_hecho ésta éstas éste éstos ésa ésas ése ésos aquélla aquél
"""

SPEAKER = """
yo me mi mis nos nosotros nosotras nuestro nuestra nuestros nuestras te tu tú ustedes vosotros os he hemos voy vamos quiero soy somos
"""

EMPHASIS = """
importante importantes clave fundamental fundamentales principal principales conclusión recuerda recuerden nunca siempre resultado
resultados significa solución secreto mejor peor primero debe deben esencial
"""

HOUSEKEEPING = """
hola bienvenido bienvenida bienvenidos bienvenidas suscríbete suscribirte suscríbanse suscribirse suscribiros campanita patrocinador
patrocinadores chao adiós este_canal mi_canal nuestro_canal al_canal los_comentarios gracias_por muchas_gracias hasta_luego hasta_pronto
nos_vemos buenos_días buenas_tardes buenas_noches próximo_video próximo_vídeo próximo_episodio un_like me_gusta la_descripción os_dejo
les_dejo
"""

NEVER_TAGS = """
lunes martes miércoles jueves viernes sábado sábados domingo domingos enero febrero marzo abril mayo junio julio agosto septiembre
setiembre octubre noviembre diciembre cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis
diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco treinta cuarenta cincuenta sesenta setenta
ochenta noventa cien ciento cientos doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos mil
miles millón millones segundo segunda tercer tercera tercero cuarto cuarta quinto medio media mitad doble docena par segundos minuto
minutos hora horas día días semana semanas mes meses año años siglo siglos década décadas euro euros dólar dólares peso pesos céntimo
céntimos metro metros kilómetro kilómetros centímetro centímetros grado grados kilo kilos litro litros ayer hoy mañana anoche tarde noche
madrugada
"""

GENERIC = """
cosa cosas forma formas manera maneras modo parte partes tipo tipos caso casos lado lados lugar lugares momento momentos tema temas idea
ideas punto puntos gente persona personas hombre señor señora señores número números cantidad nivel razón problema vida mundo resto veces
fin hecho video videos vídeo vídeos canal episodio programa capítulo ejemplo ejemplos nombre verdad paso pasos error errores respuesta
pregunta clave poco menos sentido final principio inicio cuenta
"""

NOUN_MARKERS = """
el la los las un una unos unas del al mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta estos estas ese esa esos esas cada
otro otra otros otras cualquier algún alguna algunos algunas ningún ninguna muchos muchas mucho mucha pocos pocas varios varias de en con
sin sobre entre por para contra hacia desde mediante dos tres cuatro cinco seis siete ocho nueve diez cien
"""

VERB_MARKERS = "no se me te lo le les nos os que yo tú él ella ellos ellas nosotros ustedes usted y_se ya quien si cuando a hay"

VERB_ENDING = (
    r"(?:[aeií]d[oa]s?|[aei]r(?:l[aeo]s?|se|nos|te|me)?|[aá]ndo(?:l[aeo]s?|se)?|[ié]endo(?:l[aeo]s?|se)?|amos|emos|imos|aron|ieron|aban|[áa]bamos|aba"
    r"|ará|erá|irá|arán|erán|irán|aría|ería(?=n)|iría|aste|iste|aréis|áis|éis|ó)$"
)
ADVERB = r"[a-zñáéíóú]{3}mente$"
NOUN_ENDING = r"(?:ción|ciones|sión|siones|dad|dades|tad|miento|mientos|ismo|istas?|uras?|encias?|ancias?|eza|ajes?|logía|metro|grafía)$"

ANNOUNCEMENT = (
    r"(?:\bhoy|\ben est[ea] (?:v[ií]deo|episodio|cap[ií]tulo|programa|charla|clase|sesi[oó]n|tutorial))(?: d[ií]a)?,?(?: \w+,)?"
    r" (?:(?:vamos|voy) a|quiero|queremos|les voy a|te voy a|os voy a|les quiero|te quiero)"
    r" (?:hablar|contar|explicar|ver|aprender|mostrar|ense[ñn]ar|presentar|descubrir|repasar|conocer)(?:les|os|te|nos|l[aeo]s?)?"
    r"(?: (?:de|sobre|acerca de|a))? (?P<topic>.+)"
)
