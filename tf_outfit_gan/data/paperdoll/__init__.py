"""Paper dolls: a synthetic catalogue of drawn fashion models with exact truth.

Lengths: body units (the height of a standing figure is 1) until a figure stands in its picture, then picture heights.
x grows to the right, y downwards, z towards the viewer. Sides are the person's: RIGHT appears on the viewer's left.
"""
