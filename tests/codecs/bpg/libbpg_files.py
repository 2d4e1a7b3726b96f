"""Files of 37×27 pixels that bpgenc 0.9.8 wrote of drawn pictures, with what bpgdec 0.9.8 made of them.

Names say the encoder inside bpgenc and what the file is for. Each has the first 16 digits of the SHA-256 of the RGB
samples that ``bpgdec -o x.ppm`` wrote, and the file in base64.
"""

from __future__ import annotations

from typing import Final

FILES: Final = {
    "x265-444": (
        "ba6152ace165f063",
        "QlBH+2AAJRsAA5JHQEQBwXGBEgAAASYBrwQY+MqRSit4I0+55dy6buWtl+KljdQFjPTocWWI1kONg6tjDVPNfb/+venO+p53S3Bh"
        "mYGs6vk07E6NFTjBQb/7w2TzxQLnYKumtwqqg2wzsXZMRt5ZHYByzaoFYCl1iFCFF1Hv2c4+bsx7QsEa5zEy1Vpb/+N7ps486Iob"
        "DtA7UylftphC11VrnDoaICJAl2m0pXlKpYvmeUJ6hvLEPRvs8MVbAZycPY31fbAVcJA=",
    ),
    "x265-420": (
        "e1f5f263c890c0c9",
        "QlBH+yAAJRsAA5JHQEQBwXGBEgAAASYBrwQY2jHie6In6JMaZ7y7l03ctbL8VLG6gLGenQ4ssRrIcbB1bGGqea///7DeFxMz/KbB"
        "y+iKTQe3Tg2vrd+ZrC3EX878zTMrx989y6ApDU5PAP6G356PKntctI/+UT00ifGldu5L0XzuzcWw1e2y4DYpQvbU+Kwcfx8iEKLN"
        "reJabDkHpGJulHBcHUSf3js=",
    ),
    "x265-422": (
        "ec3bebdec44badd3",
        "QlBH+0AAJRsAA5JHQEQBwXGBEgAAASYBrwQY/sTRT2DacOsXwSNo6VOF9uPww6MSL2mebX1fZEXWLPty14QvysI3ZuMw6rbYsgw4"
        "n3Vt531coOaCSxqurMVQxoFk3ZhW7yEieDjAakuRJDcUZl2DVdXfYpohsn3uEbmwNkAjcI9YxUMhBr7wCYH+iFZqKYtBcFiS6XqO"
        "TxwbP1cfMZi4pxos4A==",
    ),
    "jctvc-420-10-bit": (
        "544d9336e4da8436",
        "QlBH+yIAJRsAA5JHQEQBwZCVgRIAAAEmAa8E2PqdWxaUEPNvWQK1n6VPz8BZzOqLA7A5UVv///44pA+eA/h9183+zjVUUwr9MtkM"
        "JpqfJi3HGVlF4cChr1RL33GM+si3WcihkZHRDoNiPJpHQB2JnbqIYVs5x4bP+JsFloasB4AvYB0tJMbS86M/1EKXaxnA",
    ),
    "jctvc-444-12-bit": (
        "dd497628841be4a8",
        "QlBH+2QAJRsAA5JHQEQBwZCVgRYDcAAAASYBrwTY+p1bFpQQ829ZArWfpU/PwFnM6osDsDlQ4v7x/+P1pr0aijuDVXKZglRbpL4w"
        "XwKU1myrg937D+eNdYpL1UkKIxYcMXlAxU1cp3xftYf+uewMFe5FovISXEB9u1HG29n2xyurYAh69AhLW78OoQR4FpJkugyJKtXq"
        "3az2C7oAD7g=",
    ),
    "x265-420-mpeg2-siting": (
        "4c89fb8d7f5a2a85",
        "QlBH+4AAJRsAA5JHQEQBwXGBEgAAASYBrwQY+MqRSit4I0+55dy6buWtl+KljdQFjPTocWWI1kONg6tjDVPNf//9hhIBW/WmlgsE"
        "+l7gZNzRebAb+GFO4Mae9BpBlJ9WJpwNc2/O5gMnR71Md7gDFKQW/TQcjXHRPmBhBjYVKDBvNnbR52WXi/++s4QuPX8M2ucIB3dZ"
        "lm8ALFcjgA==",
    ),
    "jctvc-422-mpeg2-siting-10-bit": (
        "cbe7387a3a69eb9d",
        "QlBH+6IAJRsAA5JHQEQBwZCVgRIAAAEmAa8E2Pqe5IlpQQ829ZArWfpU/PwFnM6osDsDlRW/5a3/N9JV8OZLfNEpu1flIWMaulce"
        "C33AH7YziMpKHjx0HnUIGyqsVoGKtZHiQEgQqmtTLKWzqysR6K6AA+iY",
    ),
    "x265-444-limited-range": (
        "6a240e5d9266aeee",
        "QlBH+2ACJRsAA5JHQEQBwXGBEgAAASYBrwQY9zTGHIl1T9Uj7cPOiaRpS0WbYPeTuRW4HfdnqgF/hf+sdEBQThOzH5asA08nOgQe"
        "lJaTFl8yZhPELDqCGakOFcbZXGtyT9VA5X2kuZG3SLoBsNdE8A/oOKjAbu9T7mJ41Vx1TZNPcowC/djQiu88M35BYq24APnJ4/K1"
        "R93Hj67lzlziNCFv4uv52dbm79Ju7Zc/HA==",
    ),
    "x265-rgb": (
        "801e8974c89d7e9d",
        "QlBH+2AQJRsAA5JHQEQBwXGBEgAAASYBrwQY6zL//EIesq/v//fAA757bD81ZaOMq/5zBZex/nu+tJMNOe4SmSU9HRY39qBHsiV9"
        "hFlpIE1xqD2C2PWEZz8YPWdfpnecAVNTvG2o338uzil6EdBfrW9+nadxJJLVfJzGndR8NAn5Eh0DYD5VUHpPMCPDRHhWi99oCzgC"
        "4455/D1hMUhYyLQgbDVU7F/Q3DxuD2SVGalyCML+jlqwYrbMkUo91MX6W+3DX9/uRPiScs0shH9MobdsULL0PBJF93KXvXgZR6ql"
        "TnWPynIszo3H6Q50CVdKt9UbbQTcfC/qhIlgwpRBiAVb81XVmHM0XfkRcP8mLZxevWBs0A==",
    ),
    "jctvc-rgb-limited-range-10-bit": (
        "b8350114484c120e",
        "QlBH+2ISJRsAA5JHQEQBwZCVgRYDcAAAASYBrwTY/tVzQf/7ztToyj3kc8+SUCI/KHbhCiY3Ord536X0VcMVLgC/u7MwHLHUW06J"
        "BqmbwT44jNNgqMmbwjp/GEpDH08t96R5c8nmyuBHofxy8TCV6MANApJQCEQ8riYHoKN5YMHG4ZBdrBdZS7wJc8RgaMRGdWInBsah"
        "NcRxaaWdQLzMQuv9g5HHIgZ0qaoesSTm/V5NNQ+QdXUuTLK7LrUtzo1f0KA6iZMqCi+/A4P80+FdANzoVrSw7otpPkN9t5/4phqo"
        "2LqEnkqw",
    ),
    "x265-ycgco": (
        "03c1a063775b0e32",
        "QlBH+2AgJRsAA5JHQEQBwXGBEgAAASYBrwQY6mZcY98/5Shp/dOvAaMhumSAVbH+84RHyocJ3zI56S50QWporcDwAs9Umv8L+KSW"
        "D/u/g7kQOkyGQ7f3jBkdK0m7ld6dRutkzSHaXAHgX42QcMyM1WNv59Kdj5KoHwdPh3cdtJTH6eZLMbuVwxyGdIDmYFUf/MzDqGYl"
        "/4DVgi2WobpIJgdDlT9CjcnLlh1ZWGH47T0Rg6hkb42two/uisjt5iaW2YXkFSkK4ajq5DhhdeWKSGoWW9O3q/R3RA==",
    ),
    "x265-bt709": (
        "175ddacc89254a40",
        "QlBH+2AwJRsAA5JHQEQBwXGBEgAAASYBrwQY/sTQeOu2XmDO3kPFtNImwGK0zHCzqJ12PpHPTVJNSSvTwlOfM8yZRsH7mWt6pK+2"
        "JprvEmg/35hB0QPZnnMfT2pOkKTtzq+3v0jbtVOZR8sOxnfIONMsndtOaUf9gDzPEFhm9e2KRSM4P+qooiIKyYlJRYu9cIb7WxsX"
        "CFz/7I9pXxNR0YPeDBaLzZv5U8MFNi5F4vuKc63EMg9+Xe3SdV0+HIEaDZ+WSExCX4Yc0V7D",
    ),
    "x265-bt2020-limited-range": (
        "007b18d9ae22da9d",
        "QlBH+2BCJRsAA5JHQEQBwXGBEgAAASYBrwQY9zTGHHuiJ+iTGme8u5cuE34e3ribf2H6+HphRXjYOrYuD8avt//WOiAoJwnZj8tW"
        "AaeTnQIPSktJiy+ZMwniCXat/iaIftmWyuT5xI3yOh3aS4KG6pc/5WjqYVAYHWenTIzBLfy3JV56E5ZyMg3eGOVFxBGuiidwttg/"
        "aC8crSJ2wmn60uBZ5d0GyuIGvITL4MvpciuZW9rlxQg=",
    ),
    "x265-animation": (
        "26e6a37e6999fc0e",
        "QlBH+yAJJRsABQUDAAEZA5JHQEQBwXGxEgAAASYBrwQY+MqUAvm9WyMJTw3bxOKe+eEBNXy1Tr5BxPM+pmLJsenrz0/8j/UveD/T"
        "3N7oA/DhSiPgXSmjzN6j4nqmxNfIX4d+dt483KnZSAwPU5OCkiBTE8Xna1eNXDal/XqcKFNWVI5LMe6RWmvDMfVH9qdmMAkllWwA"
        "AAABAgHQCXgQxAmwizrU",
    ),
    "x265-hash": (
        "e1f5f263c890c0c9",
        "QlBH+yAAJRsAA5JHQEQBwXGBEgAAASYBrwQY2jHie6In6JMaZ7y7l03ctbL8VLG6gLGenQ4ssRrIcbB1bGGqea///7DeFxMz/KbB"
        "y+iKTQe3Tg2vrd+ZrC3EX878zTMrx989y6ApDU5PAP6G356PKntctI/+UT00ifGldu5L0XzuzcWw1e2y4DYpQvbU+Kwcfx8iEKLN"
        "reJabDkHpGJulHBcHUSf3jsAAAFQAYQxAArSvOBu90g2C6Sa05uKNmMkd2GpZFrPsBsoYFVmqVxqU3lHRtziHfXu92TmJOszXYA=",
    ),
    "jctvc-444": (
        "ae1570ba2a206457",
        "QlBH+2AAJRsAA5JHQEQBwZCVgRYDcAAAASYBrwTY+p1bFpQQ829ZArWfpU/PwFnM6osDsDlQ4v7x/+P1pr0aijuDVXKZglRbpL4w"
        "XwKU1myrg937D+eNdYpL1UkKIxYcMXlAvobWqC5ds5m1z2Bgr3ItF5COtLUINqJu9m8mkYMUZ36zBUFbgZVQ4nbiN3n0QsTuUBkI"
        "7dIIbhtVmIA=",
    ),
    "jctvc-420-9-bit": (
        "31a3b259d2ce9292",
        "QlBH+yEAJRsAA5JHQEQBwZCVgRIAAAEmAa8E2PqdWxaUEPNvWQK1n6VPz8BZzOqLA7A5UVv///44pA+eA/h9183+zjVUUwr9MtkM"
        "JpqfJi3HGVlF4cChr1RL33GM+si3WcihkZHRDoNiPJpHQB2JnbqIYVs5x4bP+JsFloasB4AvYB0tJMbS86M/1EKXaxnA",
    ),
    "jctvc-grey": (
        "523c39f994634dd8",
        "QlBH+wAAJRsAA5JHQEQBwZCVgRIAAAEmAa4JsP47Dmdql5U0p1L1+/Pzt3sEafgpkfnCzqDmXdyfViDqZMCPMyVKqLg=",
    ),
    "jctvc-grey-limited-range-10-bit": (
        "16abb5f8bdd7e90d",
        "QlBH+wICJRsAA5JHQEQBwZCVgRIAAAEmAa4JsP47DmdqdEkXY38hEjfnzTGShVsy7NH96ibXdPLJu2A=",
    ),
    "jctvc-alpha": (
        "ae1570ba2a206457",
        "QlBH+3AAJRsAA5JHQAOSR0BECcGQlYESAAAAAUQBwZCVgRYDcAAAASYJrgmw4YAbsefcMJaV4AAAASYBrwTY+p1bFpQQ829ZArWf"
        "pU/PwFnM6osDsDlQ4v7x/+P1pr0aijuDVXKZglRbpL4wXwKU1myrg937D+eNdYpL1UkKIxYcMXlAvobWqC5ds5m1z2Bgr3ItF5CO"
        "tLUINqJu9m8mkYMUZ36zBUFbgZVQ4nbiN3n0QsTuUBkI7dIIbhtVmIA=",
    ),
    "jctvc-premultiplied-alpha": (
        "64e68f704c085d96",
        "QlBH+zAEJRsAA5JHQAOSR0BECcGQlYESAAAAAUQBwZCVgRIAAAEmCa4JsOGAG7Hn3DCWleAAAAEmAa8E2PqddBqnBcRtQwNBFBdw"
        "wmL+D6okCF0zlHpy2MJXVXudMk7OlRaKZkUi+ncOuBPTI0gyHMng8G1Ii6jixJdhCVjA",
    ),
}

ELEVEN_BITS: Final = (
    "QlBH+yMAJRsAA5JHQEQBwZCVgRIAAAEmAa8E2PqdWxaUEPNvWQK1n6VPz8BZzOqLA7A5UVv///44pA+eA/h9183+zjVUUwr9MtkM"
    "JpqfJi3HGVlF4cChr1RL33GM+si3WcihkZHRDoNiPJpHQB2JnbqIYVs5x4bP+JsFloasB4AvYB0tJMbS86M/1EKXaxnA"
)
"""A file of 11 bits a sample, in base64."""
