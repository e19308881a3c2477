"""Writes house.png, mask.png and hill.png, from which the pictures in docs/starting.md are made."""

from PIL import Image, ImageDraw

SIZE, WIDTH = (400, 224), 6

house = Image.new("RGB", SIZE, "white")
pen = ImageDraw.Draw(house)
pen.line((0, 205, 400, 205), "black", WIDTH)
pen.rectangle((110, 105, 270, 207), None, "black", WIDTH)
pen.polygon((85, 107, 190, 35, 295, 107), None, "black", WIDTH)
pen.rectangle((172, 145, 208, 207), None, "black", WIDTH)
for left in (128, 222):
    pen.rectangle((left, 130, left + 30, 160), None, "black", WIDTH)
pen.ellipse((20, 20, 75, 75), None, "black", WIDTH)
pen.ellipse((315, 85, 385, 155), None, "black", WIDTH)
pen.rectangle((340, 152, 358, 207), None, "black", WIDTH)
house.save("house.png")

mask = Image.new("L", SIZE, "black")
ImageDraw.Draw(mask).ellipse((20, 50, 170, 200), "white")
mask.save("mask.png")

hill = Image.new("RGB", SIZE, (60, 110, 200))
brush = ImageDraw.Draw(hill)
brush.ellipse((250, 25, 340, 115), (250, 220, 60))
brush.ellipse((-120, 130, 520, 420), (40, 130, 60))
hill.save("hill.png")
