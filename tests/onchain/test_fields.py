"""The custom model fields, on a table of their own."""

from __future__ import annotations

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.forms import modelform_factory

from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import UINT256_MAX, to_address

ADDRESS_TEXT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
ADDRESS = to_address(ADDRESS_TEXT)
WORD = bytes(range(32))
AWKWARD_NUMBERS = [0, 1, 9, 10, 15, 16, 2**53 + 1, 2**63, 2**64, 2**255, UINT256_MAX]


class Specimen(models.Model):
    address = AddressField(null=True, blank=True)
    word = Bytes32Field(null=True, blank=True)
    number = Uint256Field(null=True, blank=True)

    class Meta:
        app_label = "onchain_fields_test"

    def __str__(self) -> str:
        return str(self.pk)


@pytest.fixture(scope="module")
def specimen_table(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Specimen)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Specimen)


@pytest.fixture
def specimens(specimen_table, db):
    return Specimen.objects


pytestmark = pytest.mark.services


@pytest.mark.parametrize("number", AWKWARD_NUMBERS)
def test_a_number_comes_back_exactly(specimens, number):
    pk = specimens.create(number=number).pk

    stored = specimens.get(pk=pk).number

    assert stored == number
    assert type(stored) is int


def test_zero_is_not_null(specimens):
    zero = specimens.create(number=0)
    nothing = specimens.create(number=None)

    assert specimens.get(number__isnull=True) == nothing
    assert specimens.get(number=0) == zero
    assert specimens.get(pk=nothing.pk).number is None


def test_numbers_sort_by_value(specimens):
    specimens.bulk_create(Specimen(number=n) for n in reversed(AWKWARD_NUMBERS))

    found = list(specimens.order_by("number").values_list("number", flat=True))

    assert found == AWKWARD_NUMBERS


@pytest.mark.parametrize(
    ("lookup", "expected"),
    [
        ({"number": 2**64}, [2**64]),
        ({"number__gt": 2**64}, [2**255, UINT256_MAX]),
        ({"number__gte": 2**64}, [2**64, 2**255, UINT256_MAX]),
        ({"number__lt": 10}, [0, 1, 9]),
        ({"number__lte": 10}, [0, 1, 9, 10]),
        ({"number__in": [9, 2**255, 7]}, [9, 2**255]),
        ({"number__range": (10, 2**63)}, [10, 15, 16, 2**53 + 1, 2**63]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_lookups_compare_numbers(specimens, lookup, expected):
    specimens.bulk_create(Specimen(number=n) for n in AWKWARD_NUMBERS)

    found = specimens.filter(**lookup).order_by("number")

    assert [row.number for row in found] == expected


def test_columns_compare_with_each_other(specimens):
    specimens.create(number=2**200)

    assert specimens.filter(number=models.F("number")).count() == 1


def test_the_largest_number_is_found_by_the_database(specimens):
    specimens.bulk_create(Specimen(number=n) for n in AWKWARD_NUMBERS)

    assert specimens.aggregate(top=models.Max("number"))["top"] == UINT256_MAX


def test_update_and_bulk_update_write_numbers(specimens):
    row = specimens.create(number=1)
    specimens.filter(pk=row.pk).update(number=2**130)
    assert specimens.get(pk=row.pk).number == 2**130

    row.number = 2**131
    specimens.bulk_update([row], ["number"])

    assert specimens.get(pk=row.pk).number == 2**131


@pytest.mark.parametrize("number", [-1, 2**256, 1.0, True, "1", b"1"])
def test_a_number_outside_uint256_is_never_bound(specimens, number):
    with pytest.raises(EncodingError), transaction.atomic():
        specimens.create(number=number)
    with pytest.raises(EncodingError):
        specimens.filter(number__lt=number).exists()

    assert specimens.count() == 0


@pytest.mark.parametrize("number", [-1, 2**256, 1.5, True, "0x", "1e3", "-1", ""])
def test_cleaning_refuses_what_is_no_uint256(number):
    with pytest.raises(ValidationError):
        Uint256Field().clean(number, None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("18446744073709551616", 2**64),
        ("0xff", 255),
        (str(2**256 - 1), 2**256 - 1),
    ],
)
def test_cleaning_reads_decimal_and_hex_text(text, number):
    assert Uint256Field().clean(text, None) == number


def test_the_column_refuses_a_number_of_another_width(specimens):
    row = specimens.create(number=1)

    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE onchain_fields_test_specimen SET number = 'ff'")

    assert specimens.get(pk=row.pk).number == 1


def test_bytes_come_back_as_bytes(specimens):
    pk = specimens.create(address=ADDRESS, word=WORD).pk

    row = specimens.get(pk=pk)

    assert (type(row.address), row.address) == (bytes, ADDRESS)
    assert (type(row.word), row.word) == (bytes, WORD)


@pytest.mark.parametrize("driver_type", [bytes, bytearray, memoryview])
def test_bytes_are_bytes_whatever_the_driver_returns(driver_type):
    value = AddressField().from_db_value(driver_type(ADDRESS), None, None)

    assert (type(value), value) == (bytes, ADDRESS)


def test_zero_bytes_are_not_null(specimens):
    row = specimens.create(address=bytes(20), word=bytes(32))
    specimens.create()

    assert specimens.get(address=bytes(20), word=bytes(32)) == row
    assert specimens.filter(address__isnull=True, word__isnull=True).count() == 1


def test_bytes_are_found_by_any_buffer(specimens):
    row = specimens.create(address=ADDRESS)

    assert specimens.get(address=memoryview(ADDRESS)) == row
    assert specimens.get(address__in=[bytearray(ADDRESS), bytes(20)]) == row


@pytest.mark.parametrize(
    "values",
    [
        {"address": bytes(19)},
        {"address": bytes(21)},
        {"address": b""},
        {"address": ADDRESS_TEXT},
        {"word": bytes(31)},
        {"word": bytes(33)},
        {"word": 5},
    ],
    ids=str,
)
def test_bytes_of_another_width_or_type_are_never_bound(specimens, values):
    with pytest.raises(EncodingError), transaction.atomic():
        specimens.create(**values)
    with pytest.raises(EncodingError):
        specimens.filter(**values).exists()


def test_a_model_form_reads_text_and_shows_it_again(specimens):
    form_class = modelform_factory(Specimen, fields=["address", "word", "number"])
    data = {"address": ADDRESS_TEXT, "word": f"0x{WORD.hex()}", "number": str(2**128)}

    row = form_class(data).save()

    row.refresh_from_db()
    assert (row.address, row.word, row.number) == (ADDRESS, WORD, 2**128)
    shown = str(form_class(instance=row))
    assert all(text in shown for text in data.values())


def test_an_empty_model_form_stores_nulls(specimens):
    form_class = modelform_factory(Specimen, fields=["address", "word", "number"])

    row = form_class({}).save()

    assert (row.address, row.word, row.number) == (None, None, None)


@pytest.mark.parametrize(
    "data",
    [
        {"address": ADDRESS_TEXT.replace("aA", "Aa")},
        {"address": "0x12"},
        {"word": "0x12"},
        {"number": "-1"},
        {"number": str(2**256)},
        {"number": "9" * 5000},
    ],
    ids=lambda data: next(iter(data)),
)
def test_a_model_form_says_what_is_wrong(data):
    form_class = modelform_factory(Specimen, fields=["address", "word", "number"])

    assert list(form_class(data).errors) == list(data)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("address", ADDRESS, ADDRESS_TEXT),
        ("word", WORD, f"0x{WORD.hex()}"),
        ("number", UINT256_MAX, str(UINT256_MAX)),
        ("number", 0, "0"),
    ],
)
def test_serialised_values_are_read_back(name, value, text):
    field = Specimen._meta.get_field(name)

    assert field.value_to_string(Specimen(**{name: value})) == text
    assert field.to_python(text) == value


def test_a_serialised_row_keeps_null_apart_from_zero():
    (row,) = serializers.serialize("python", [Specimen(number=0)])

    assert row["fields"] == {"address": None, "word": None, "number": 0}


@pytest.mark.parametrize("field_class", [AddressField, Bytes32Field, Uint256Field])
def test_migrations_name_only_what_was_asked_for(field_class):
    _, path, args, kwargs = field_class(unique=True).deconstruct()

    assert path == f"onchain.fields.{field_class.__name__}"
    assert (list(args), kwargs) == ([], {"unique": True})


@pytest.mark.parametrize("field_class", [AddressField, Bytes32Field, Uint256Field])
def test_an_unset_value_is_none(field_class):
    assert field_class().get_default() is None
