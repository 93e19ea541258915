"""Invented people with ID numbers that check."""

MOTHER = "11010519491231002X"
DAUGHTER = "11010519760304004X"
CHILD = "110105201805010032"
FATHER = "110105194802020013"


def number_of_birth(year: int, serial: int) -> str:
    """An ID number of somebody born in that year that checks."""
    digits = f"110105{year:04}{serial % 12 + 1:02}{serial % 28 + 1:02}{serial % 1000:03}"
    total = sum(
        weight * int(digit)
        for weight, digit in zip((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), digits, strict=True)
    )
    return digits + "10X98765432"[total % 11]
