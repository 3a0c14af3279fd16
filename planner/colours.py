"""Colours of charts, which people with the common colour vision deficiencies tell apart: of Okabe and Ito."""

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A8F98"
