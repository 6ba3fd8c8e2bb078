"""Writes crates/domain/tests/it/numbers.tsv: how Python's port of libphonenumber reads example numbers of every country.

Run it with the package `phonenumbers` installed: python e2e/phone_numbers.py > crates/domain/tests/it/numbers.tsv
"""

import phonenumbers as p
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType as Type

KINDS = {
    Type.PREMIUM_RATE: "premium",
    Type.SHARED_COST: "shared",
    Type.PERSONAL_NUMBER: "personal",
    Type.UAN: "universal",
}
# Numbers in the API have at least seven digits and a plus sign.
MINIMUM = 8
# Countries from which the others are dialled, for their different ways out: 011, 00, 010 and 0011.
ABROAD = ["US", "DE", "JP", "AU"]


def read(text, home):
    """What the text means at home: number, kind and extension, or nothing."""
    try:
        number = p.parse(text, home)
    except p.NumberParseException:
        return None
    if not p.is_valid_number(number):
        return None
    international = p.format_number(number, Format.E164)
    if len(international) < MINIMUM:
        return None
    return international, KINDS.get(p.number_type(number), "ordinary"), number.extension or ""


def calling_code(region):
    """The code by which a business names this region, if it can."""
    code = p.country_code_for_region(region)
    return str(code) if p.region_code_for_country_code(code) == region else None


def main():
    print(f"# Made by e2e/phone_numbers.py with phonenumbers {p.__version__}: home, text, number, kind, extension.")
    for index, region in enumerate(sorted(p.SUPPORTED_REGIONS)):
        abroad = ABROAD[index % len(ABROAD)]
        rows = set()
        for kind in sorted(value for name, value in vars(Type).items() if name.isupper()):
            example = p.example_number_for_type(region, kind)
            if example is None:
                continue
            national = p.format_number(example, Format.NATIONAL)
            if calling_code(region):
                rows.add((calling_code(region), national + (" ext. 12" if kind == Type.FIXED_LINE else "")))
            if abroad != region:
                home = calling_code(abroad)
                rows.add((home, p.format_out_of_country_calling_number(example, abroad)))
                rows.add((home, national))
            rows.add((calling_code(abroad), p.format_number(example, Format.RFC3966)))
        for home, text in sorted(rows):
            found = read(text, p.region_code_for_country_code(int(home)))
            print("\t".join([home, text, *(found or ("-", "-", ""))]))


if __name__ == "__main__":
    main()
