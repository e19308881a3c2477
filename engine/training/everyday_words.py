"""Three hundred everyday words that no icon is called, and the names that count as right.

They were written before any of them was tried. The text tower must lead each to a name that the
image tower has seen, for a drawer can draw nothing else.
"""

from __future__ import annotations

import re

_WRITTEN = """
academy: school, graduation cap, mortarboard
aircraft: airplane, small airplane, helicopter, airship
ale: beer mug
alps: mountain, snow capped mountain, mountain railway, mountain cableway
amazed: astonished face, star struck, face with open mouth, hushed face
annoyed: unamused face, angry face, face with rolling eyes, expressionless face, pouting face,
  frowning face
ape: gorilla, orangutan, monkey, monkey face
aquatic: fish, tropical fish, water wave, dolphin, swimming pool, whale
armor: shield, military helmet
athlete: person running, sports medal, person lifting weights
award: trophy, medal, sports medal, military medal, 1st place medal, rosette
baker: bread, cake, cooking, baguette bread
barber: barber pole, scissors, person getting haircut
beast: lion, lion face, troll, dragon
beef: cut of meat, meat on bone, cow
berry: strawberry, blueberries, cherries
birthday: birthday cake, party popper, wrapped gift
biscuit: cookie, rice cracker
blackberry: blueberries, grapes, strawberry
blaze: fire
blizzard: snow, cloud with snow, snowflake, extreme snow, wind snow, extreme day snow
blooms: flower, blossom, cherry blossom, white flower, bouquet
blouse: womans clothes, shirt, t shirt
bonfire: fire, camping
bookcase: shelf, books
breakfast: cooking, egg, pancakes, bacon, toast, waffle, coffee mug
breeze: wind, wind face, leaf fluttering in wind, dashing away
brook: stream
bumblebee: bee, honeybee
bun: bread, hamburger, burger, croissant, hot dog
bungalow: house, house with garden, hut, home
burning: fire, heart on fire
calf: cow, cow face
cantaloupe: melon
cap: billed cap, graduation cap
cappuccino: coffee cup, coffee mug, hot beverage
carpenter: hammer, carpentry saw, wood
celebration: party popper, confetti ball, partying face, bottle with popping cork, clinking
  glasses
cemetery: headstone, coffin
champion: trophy, 1st place medal, sports medal, medal
chapel: church
cheeseburger: hamburger, burger
chemistry: alembic, scientist, erlenmeyer flask, flask, erlenmeyer, petri dish
cherub: baby angel
chilly: cold face, snowflake, thermometer colder, ice, snow
chopper: helicopter
citadel: castle
citrus: lemon, lime, tangerine, orange
clinic: hospital
coast: beach, beach with umbrella, desert island
convertible: automobile, car, racing car, race car
cop: police officer, police car
corpse: zombie, coffin, skull, knocked out face
cosmonaut: astronaut
cosmos: milky way, ringed planet, planet, starry night, earth
cottage: house, house with garden, hut, home
coyote: wolf, wolf face, fox, fox face
cranium: skull, brain
crazy: zany face, woozy face, dizzy face
creepy: ghost, skull, spider, spider web, zombie
cub: bear, bear face, lion, lion face
currency: currency exchange, dollar banknote, coin, euro banknote, money bag, yen banknote,
  pound banknote
dawn: sunrise, sunrise over mountains, horizon
daybreak: sunrise, sunrise over mountains, horizon
delicious: face savoring food
demon: imp, goblin, smiling face with horns, angry face with horns
dessert: shortcake, cake, ice cream, custard, pie, soft ice cream, birthday cake, cupcake
devil: imp, smiling face with horns, angry face with horns
diamond: gem stone, diamond suit, diamond with a dot, large blue diamond
dictionary: book, books, closed book, blue book
downpour: rain, cloud with rain, rain cloud, umbrella with rain drops, extreme rain, extreme day
  rain, drizzle
drowsy: sleepy face, sleepy, sleeping face, yawning face, tired face
drummer: drum, long drum, drumstick
duckling: duck, baby chick
dusk: sunset, cityscape at dusk, horizon
dwelling: house, house with garden, home, hut, houses
elk: moose, deer
emperor: king, crown, person with crown
enchanted: magic wand, mage, fairy, crystal ball, unicorn, sparkles, castle
espresso: coffee cup, coffee mug, hot beverage, coffee bean
evening: sunset, cityscape at dusk, night with stars
exhausted: tired face, weary face, sleepy face, yawning face, face exhaling
explosive: bomb, dynamite, firecracker, collision, grenade
extraterrestrial: alien, alien monster, ufo, flying saucer
falcon: eagle
feathered: feather, bird, wing
festive: party popper, christmas tree, partying face, confetti ball, firecracker
fiddle: banjo, guitar
fiery: fire, hot face, heart on fire, hot pepper
firearm: pistol, water pistol
floral: flower, bouquet, blossom, tulip, cherry blossom, hibiscus, white flower
foliage: leaf, fallen leaf, leaf fluttering in wind, leafy green, herb
football: soccer ball, american football, rugby football
footwear: shoe, mans shoe, sandal, high heeled shoe, hiking boot, womans boot, womans sandal
freezing: cold face, snowflake, ice, ice cube, snow
frightened: fearful face, face screaming in fear, anguished face
frosty: snowflake, cold face, snowman, ice, snow, snowman without snow, ice cube
fungus: mushroom, brown mushroom
furious: angry face, enraged face, pouting face
gale: wind, wind face, hurricane, tornado, windsock
garbage: wastebasket, litter in bin sign, bin
gardener: farmer, potted plant, watering can, shovel, seedling
germ: microbe, virus
gift: wrapped gift, present
gloomy: frowning face, pensive face, disappointed face, cloud, overcast, cloudy
golden: coin, star, 1st place medal, trophy, crown, sports medal, money bag
gown: dress
grandmother: old woman, older person
grandpa: older person, man
grave: headstone, coffin, funeral urn
grizzly: bear, bear face
guy: man
halloween: jack o lantern, pumpkin, ghost
ham: bacon, cut of meat, pig, meat on bone, sausage
handset: telephone receiver, telephone, mobile phone, phone
happy: smiling face, smiling face with smiling eyes, grinning face, slightly smiling face,
  beaming face with smiling eyes, grinning face with smiling eyes, grinning face with big eyes
hare: rabbit, rabbit face
haunted: ghost, derelict house, skull, jack o lantern
hawk: eagle
hazy: haze, fog, foggy, haze day, mist
hill: mountain, landscape
hog: pig, pig face, boar
holiday: christmas tree, beach with umbrella, desert island, party popper
icy: ice, ice cube, cold face, snowflake, ice skate, snow
infant: baby, baby bottle, baby symbol
inferno: fire
injection: syringe
insect: bug, beetle, ant, fly
jaguar: leopard, tiger, tiger face
jalapeno: hot pepper, chili pepper, bell pepper
jet: airplane, small airplane
jewel: gem stone, necklace, crown
joyful: smiling face, smiling face with smiling eyes, grinning face, beaming face with smiling
  eyes, face with tears of joy, grinning face with smiling eyes, partying face
kid: child, boy, girl
kitty: cat, cat face
knight: military helmet, crossed swords, shield, horse, king
laboratory: scientist, alembic, petri dish, erlenmeyer flask
lager: beer mug
lake: water wave, swimming pool, landscape
lamb: sheep, ewe, ram
latte: coffee cup, coffee mug, hot beverage, glass of milk
lawn: grass
lawyer: balance scale, office worker, businessman
leafy: leafy green, leaf, herb, tree, deciduous tree
lemonade: lemon, beverage box, cup with straw, tropical drink
lettuce: leafy green, green salad
lightning: lightning bolt, high voltage, cloud with lightning
lily: flower, tulip, lotus, hyacinth, white flower
limousine: automobile, car
loaf: bread, baguette bread
lorry: truck, articulated lorry, delivery truck
lucky: four leaf clover, shamrock, slot machine, fortune cookie
mad: angry face, enraged face, pouting face, zany face
magical: magic wand, mage, crystal ball, unicorn, fairy, genie, person mage, sparkles
magician: mage, person mage, magic wand
mandarin: tangerine, orange
mansion: house, house with garden, houses, home, castle
mare: horse, horse face
margarita: cocktail, tropical drink
marketplace: shop, store, convenience store, mall, shopping cart
marriage: wedding, bride with veil
martian: alien, alien monster
mattress: bed, person in bed
metropolis: cityscape, cityscape at dusk, city hall
midnight: night with stars, starry night, clear night, new moon, full moon
monarch: king, crown, person with crown, prince, princess
monster: alien monster, troll, goblin, zombie
motel: hotel
moth: butterfly
mule: donkey
musical: musical note, musical notes, musical score, musical keyboard, music, guitar
musician: singer, guitar, musical note, musical notes, trumpet
nauseous: nauseated face, face vomiting
newborn: baby, baby symbol, baby bottle
notepad: spiral notepad, notebook, memo, clipboard
novel: book, books, closed book, blue book, orange book
ocean: water wave, beach, whale, ship
orchard: tree, apple, red apple, deciduous tree
orchid: flower, hibiscus, lotus, hyacinth, blossom
painter: artist, artist palette, paintbrush, paint roller
painting: framed picture, artist palette, paintbrush, artist, picture, paint
panther: black cat, leopard, tiger
parcel: package, box
pastry: croissant, pie, cupcake, cake, shortcake, doughnut
peak: mountain, snow capped mountain, mount fuji
pensioner: older person, old woman
petal: flower, blossom, rose, cherry blossom, hibiscus
phantom: ghost
physician: health worker, stethoscope
piglet: pig, pig face
poisonous: skull and crossbones, biohazard, scorpion, mushroom, snake
policeman: police officer, police car
pony: horse, horse face
poop: pile of poo
pork: bacon, pig, pig face, cut of meat, sausage
poultry: chicken, poultry leg, turkey
prawn: shrimp, fried shrimp
prickly: cactus
primate: monkey, monkey face, gorilla, orangutan
programmer: technologist, laptop
pudding: custard
puppy: dog, dog face
puzzled: confused face, thinking face, face with raised eyebrow, puzzle piece, puzzle, question
  mark
python: snake
queen: princess, crown, person with crown, king
railroad: train, locomotive, railway car, steam locomotive
rainfall: rain, cloud with rain, rain cloud, raindrop, raindrops, drizzle, raindrop measure
rainy: rain, cloud with rain, rain cloud, umbrella with rain drops, sun behind rain cloud,
  drizzle
ramen: steaming bowl
reptile: lizard, snake, turtle
residence: house, house with garden, home, houses
restaurant: fork and knife, fork and knife with plate, menu
robotic: robot, robot face, mechanical arm, cyborg
romantic: heart with arrow, love letter, red heart, rose, smiling face with hearts, face blowing
  a kiss, heart with ribbon, wedding, love hotel
royal: crown, king, prince, princess, person with crown
royalty: crown, king, prince, princess, person with crown
saber: crossed swords, dagger, knife
sad: crying face, frowning face, slightly frowning face, disappointed face, pensive face, loudly
  crying face, sad but relieved face, worried face
sailor: anchor, sailboat, ship
saturn: ringed planet, planet
scared: fearful face, face screaming in fear, anxious face with sweat, anguished face
seashore: beach, beach with umbrella
sedan: automobile, car, oncoming automobile
serpent: snake
sheriff: police officer, police car, cowboy hat face
shrub: tree, herb, potted plant, deciduous tree
sick: nauseated face, face with thermometer, face vomiting, sneezing face, face with medical
  mask
silly: zany face, clown face, face with tongue, squinting face with tongue, clown, winking face
  with tongue
sky: cloud, sun, clear day, clear night, rainbow
skyscraper: office building, building, cityscape
snack: cookie, french fries, sandwich, pretzel, peanuts
snowfall: snow, cloud with snow, snowflake
snowy: snow, snowflake, cloud with snow, snowman, snow capped mountain
soccer: soccer ball, soccer field, goal net
soda: cup with straw, beverage box
songbird: bird, blackbird
sorcerer: mage, person mage
sour: lemon, lime
spacecraft: rocket, flying saucer, ufo, space shuttle, satellite
spaceman: astronaut
spicy: hot pepper, chili pepper, hot face
spirit: ghost
spooky: ghost, skull, jack o lantern, spider web, coffin, face screaming in fear
spud: potato, roasted sweet potato
stallion: horse, horse face
starlit: starry night, night with stars, star, clear night
stew: pot of food, shallow pan of food, bowl with spoon
storm: thunderstorms, cloud with lightning, cloud with lightning and rain, tornado, hurricane,
  cyclone
stormy: thunderstorms, cloud with lightning and rain, cloud with lightning, hurricane, tornado,
  extreme rain
sugary: candy, cookie, cake, doughnut, donut
summit: mountain, snow capped mountain, mount fuji
sunbeam: sun, sun with face, clear day
sunlight: sun, sun with face, clear day
sunny: sun, clear day, sun with face, sun behind small cloud, sun hot
sunshine: sun, sun with face, clear day, sun hot
supermarket: convenience store, shop, store, shopping cart
surgeon: health worker, scalpel, stethoscope
sweets: candy, chocolate bar, cookie, cake
tarantula: spider
terrified: fearful face, face screaming in fear, anguished face
textbook: book, books, blue book, notebook, closed book, orange book
thorny: cactus, rose
thunder: thunderstorms, cloud with lightning, lightning bolt, high voltage, cloud with lightning
  and rain
thunderbolt: lightning bolt, high voltage, cloud with lightning
timepiece: watch, clock, alarm clock, timer clock, stopwatch, hourglass, mantelpiece clock
toad: frog, frog face
toddler: baby, child, baby symbol
toxic: biohazard, skull and crossbones, radioactive
treasure: treasure chest, money bag, coin, gem stone
tuna: fish, tropical fish
tune: musical note, musical notes, music
twilight: sunset, cityscape at dusk, starry night, night with stars
typhoon: cyclone, hurricane, tornado
ukulele: guitar, banjo
undead: zombie, person zombie, vampire, person vampire
unhappy: crying face, frowning face, slightly frowning face, disappointed face, pensive face,
  unamused face
university: school, graduation cap, mortarboard, student
vacation: beach with umbrella, desert island, beach, luggage, palm tree, camping
valentine: heart with arrow, heart with ribbon, love letter, red heart, heart decoration
vegetable: carrot, leafy green, green salad, tomato, root vegetable, bell pepper, cucumber
vehicle: automobile, car, truck
venomous: snake, scorpion, spider, skull and crossbones
viper: snake
vocalist: singer, microphone
warrior: crossed swords, shield, ninja, military helmet
wasp: bee, honeybee
wealthy: money bag, money mouth face, gem stone, coin, money with wings
weapon: pistol, crossed swords, dagger, bomb, grenade, axe, knife
weeping: crying face, loudly crying face, crying cat, crying cat face
whiskey: tumbler glass
windy: wind, wind face, leaf fluttering in wind, dashing away, windsock, dust wind
winner: trophy, 1st place medal, medal, sports medal
wintry: snow, snowflake, snowman, cloud with snow, cold face, snowman without snow
witch: mage, person mage
wizard: mage, person mage
woods: tree, evergreen tree, deciduous tree, national park, wood
xmas: christmas tree, santa claus
youngster: child, boy, girl
yummy: face savoring food, drooling face
zucchini: cucumber, eggplant, aubergine
"""

NAMES_OF: dict[str, tuple[str, ...]] = {
    word: tuple(" ".join(name.split()) for name in written.split(","))
    for word, written in re.findall(r"^(\S+): (.*(?:\n  .*)*)", _WRITTEN, re.MULTILINE)
}
"""Each word with the names of icons that are a right answer."""
