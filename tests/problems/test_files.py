"""Problems from files: what is read is what is there, and everything else is one clear sentence."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import io as scipy_io
from scipy import sparse

from convex_analyzer.errors import ConvexAnalyzerWarning, InputError, NotSymmetricError
from convex_analyzer.problems import array_files, delimited
from convex_analyzer.problems.files import load
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum

DATA = Path(__file__).parents[1] / "data"
MATRICES = json.loads((DATA / "matrices" / "expected.json").read_text(encoding="utf-8"))
NIST = json.loads((DATA / "nist" / "expected.json").read_text(encoding="utf-8"))["datasets"]

TOY = np.array([[0.2, 0.0], [0.0, 4.0]])


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path, **options) -> str:
    """Return the sentence with which a file is refused; it must be one line."""
    with pytest.raises(InputError) as caught:
        load(path, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def inside(bracket, printed: str) -> bool:
    """Tell whether a bracket meets the interval that rounds to a printed number."""
    digits = len(printed.partition("e")[0].replace(".", "").lstrip("-"))
    half = 0.5 * 10.0 ** (1 - digits) * 10.0 ** int(f"{float(printed):e}".partition("e")[2])
    return bracket.low <= float(printed) + half and bracket.high >= float(printed) - half


# -- published matrices and data ----------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in MATRICES if MATRICES[n]["file"] and n != "well1033"])
def test_suitesparse_matrices_have_the_published_condition_number(name):
    problem = load(DATA / "matrices" / MATRICES[name]["file"])
    published = MATRICES[name]["published"]
    found = spectrum(problem)
    assert problem.name == name
    assert problem.dimension == MATRICES[name]["n"]
    assert found.definiteness == "positive definite"
    assert inside(found.condition_number_bracket, published["condition_number_2"])
    assert found.lambda_min == pytest.approx(float(published["min_singular_value"]), rel=1e-6)
    if published["norm2"] is not None:
        assert inside(found.lambda_max_bracket, published["norm2"])


def test_well1033_with_its_right_hand_side_in_a_second_file():
    expected = MATRICES["well1033"]
    path = DATA / "matrices" / expected["file"]
    problem = load(path, target=expected["rhs"], loss="rss")
    assert problem.X.shape == tuple(expected["shape"])
    assert inside(spectrum(problem).data.bracket, expected["published"]["condition_number_2"])
    assert problem.minimum == pytest.approx(expected["min_residual_norm"] ** 2, rel=1e-9)
    assert np.linalg.norm(problem.minimizer) == pytest.approx(expected["solution_norm"], rel=1e-9)
    assert "target" in refusal(path)


@pytest.mark.parametrize("name", sorted(NIST))
def test_nist_coefficients_to_eight_certified_digits(name, tmp_path):
    """The polynomials are written as columns x, x², ... of a text file, and read back."""
    expected = NIST[name]
    path = DATA / "nist" / f"{name}.csv"
    intercept = "no intercept" not in expected["model"]
    degree = len(expected["certified"]["coefficients"]) - int(intercept)
    if expected["model"].startswith("polynomial"):
        rows = [line.split(",") for line in path.read_text(encoding="utf-8").split()[1:]]
        powers = [[y, *(repr(float(x) ** p) for p in range(1, degree + 1))] for y, x in rows]
        header = ",".join(["y", *(f"x{p}" for p in range(1, degree + 1))])
        path = write(tmp_path, f"{name}.csv", "\n".join([header, *map(",".join, powers)]))
    problem = load(path, target="y", intercept=intercept)
    certified = np.array(
        [float(c.replace("D", "E")) for c in expected["certified"]["coefficients"]]
    )
    assert problem.minimizer == pytest.approx(certified, rel=1e-8)
    conditioning = spectrum(problem).data
    kappa = float(expected["computed_here"]["kappa2_X"])
    assert (
        conditioning.bracket.low * (1 - 1e-12) <= kappa <= conditioning.bracket.high * (1 + 1e-12)
    )
    residual = 2 * len(problem.y) * problem.minimum
    assert residual == pytest.approx(
        float(expected["certified"]["residual_ss"]), rel=1e-6, abs=1e-12
    )


def test_longley_keeps_its_columns_and_says_what_it_is():
    root = Path(__file__).parents[2]
    problem = load(root / "examples" / "data" / "longley.csv", target="TOTEMP")
    assert problem.labels == ("intercept", "GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR")
    assert problem.describe() == (
        "longley: 16 rows x 7 columns incl. intercept, J = ½ · mean of squares"
    )
    assert f"{spectrum(problem).data.condition_number:.6e}" == "4.859257e+09"
    bare = load(root / "examples" / "data" / "longley.csv", target="TOTEMP", intercept=False)
    assert f"{spectrum(bare).data.condition_number:.0f}" == "456038"


# -- every format ---------------------------------------------------------------------------------


def test_npy_is_a_matrix_and_with_a_target_data(tmp_path):
    np.save(tmp_path / "A.npy", TOY)
    problem = load(tmp_path / "A.npy")
    assert type(problem) is Quadratic
    assert problem.name == "A"
    assert np.array_equal(problem.operator.to_dense(), TOY)
    np.save(tmp_path / "D.npy", np.arange(12.0).reshape(4, 3) ** 2)
    data = load(tmp_path / "D.npy", target=-1)
    assert isinstance(data, LeastSquares)
    assert data.labels == ("x1", "x2")
    assert data.y.tolist() == [4.0, 25.0, 64.0, 121.0]
    assert not data.intercept
    assert load(tmp_path / "D.npy", target="x3").y.tolist() == data.y.tolist()
    np.save(tmp_path / "y.npy", np.ones(4))
    beside = load(tmp_path / "D.npy", target="y.npy", intercept=True)
    assert beside.X.shape == (4, 4)
    assert beside.y.tolist() == [1.0] * 4


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "<i8", "|u1"])
def test_npy_of_any_plain_number_type(tmp_path, kind, order):
    values = np.array([[2, 1], [1, 3]], dtype=kind, order=order)
    np.save(tmp_path / "A.npy", values)
    assert load(tmp_path / "A.npy").operator.to_dense().tolist() == [[2, 1], [1, 3]]


def test_npz_with_a_quadratic(tmp_path):
    np.savez(tmp_path / "q.npz", A=TOY, b=[1.0, 2.0], c=3.0)
    problem = load(tmp_path / "q.npz")
    assert problem.linear.tolist() == [1.0, 2.0]
    assert problem.value([0.0, 0.0]) == 3.0
    np.savez(tmp_path / "one.npz", TOY)
    assert np.array_equal(load(tmp_path / "one.npz").operator.to_dense(), TOY)


def test_npz_with_data(tmp_path):
    X, y = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0]]), np.array([1.0, 2.0, 3.0])
    np.savez_compressed(tmp_path / "d.npz", X=X, y=y, other=2 * y)
    assert load(tmp_path / "d.npz").y.tolist() == y.tolist()
    assert load(tmp_path / "d.npz", target="other").y.tolist() == (2 * y).tolist()
    column = load(tmp_path / "d.npz", target=0)
    assert column.y.tolist() == [1.0, 3.0, 4.0]
    assert column.labels == ("x2",)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr"])
def test_npz_of_scipy_sparse(tmp_path, kind):
    sparse.save_npz(tmp_path / "s.npz", getattr(sparse, f"{kind}_array")(TOY))
    problem = load(tmp_path / "s.npz")
    assert problem.operator.kind == "sparse"
    assert np.array_equal(problem.operator.to_dense(), TOY)


@pytest.mark.parametrize("name", ["A.mtx", "A.mtx.gz"])
@pytest.mark.parametrize("matrix", [TOY, sparse.coo_array(TOY)], ids=["array", "coordinate"])
def test_matrix_market(tmp_path, name, matrix):
    text = io.BytesIO()
    scipy_io.mmwrite(text, matrix)
    content = text.getvalue()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    problem = load(tmp_path / name)
    assert problem.name == "A"
    assert np.array_equal(problem.operator.to_dense(), TOY)


TABLE = "a,b,y\n1,2.5,3\n4,-5e-1,6\n7,8,10\n"
VALUES = [[1, 2.5, 3], [4, -0.5, 6], [7, 8, 10]]
VARIANTS = {
    "plain.csv": TABLE.encode(),
    "windows.csv": TABLE.replace("\n", "\r\n").encode(),
    "bom.csv": b"\xef\xbb\xbf" + TABLE.encode(),
    "utf16.csv": TABLE.encode("utf-16"),
    "quoted.csv": b'"a","b","y"\n"1","2.5","3"\n"4","-5e-1","6"\n"7","8","10"\n',
    "semicolons.csv": TABLE.replace(",", ";").encode(),
    "decimal-commas.csv": b"a;b;y\n1;2,5;3\n4;-5e-1;6\n7;8;10\n".replace(b"-5e-1", b"-0,5"),
    "tabs.csv": TABLE.replace(",", "\t").encode(),
    "pipes.csv": TABLE.replace(",", "|").encode(),
    "tabs.tsv": TABLE.replace(",", "\t").encode(),
    "spaces.csv": b" a , b , y \n 1 , 2.5 , 3 \n 4 , -5e-1 , 6 \n 7 , 8 , 10 \n",
    "blank-lines.csv": TABLE.replace("\n", "\n\n").encode(),
    "no-last-newline.csv": TABLE.rstrip().encode(),
    "comment.csv": b"# measured in May\n" + TABLE.encode(),
    "savetxt.csv": b"# " + TABLE.encode(),
    "packed.csv.gz": gzip.compress(TABLE.encode()),
    "packed.tsv.gz": gzip.compress(TABLE.replace(",", "\t").encode()),
    "UPPER.CSV": TABLE.encode(),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_one_table_in_many_dresses(tmp_path, name):
    (tmp_path / name).write_bytes(VARIANTS[name])
    problem = load(tmp_path / name, target="y")
    assert problem.labels == ("intercept", "a", "b")
    assert np.column_stack([problem.X[:, 1:], problem.y]).tolist() == VALUES
    assert problem.name == name.partition(".")[0]


def test_a_table_without_header_is_addressed_by_index(tmp_path):
    path = write(tmp_path, "t.csv", TABLE.partition("\n")[2])
    for target in (2, -1, "x3", "2", "-1"):
        problem = load(path, target=target)
        assert problem.labels == ("intercept", "x1", "x2")
        assert problem.y.tolist() == [3, 6, 10]


def test_columns_are_named_or_counted_the_same_with_a_header(tmp_path):
    path = write(tmp_path, "t.csv", TABLE)
    for target in ("y", 2, -1, "-1"):
        assert load(path, target=target).y.tolist() == [3, 6, 10]
    only = load(path, target="y", drop_columns=["a"])
    assert only.labels == ("intercept", "b")
    assert load(path, target="y", drop_columns="b").labels == ("intercept", "a")
    assert load(path, target="y", drop_columns=[0]).labels == ("intercept", "b")


def test_umlauts_in_latin_1_are_names_all_the_same(tmp_path):
    (tmp_path / "t.csv").write_bytes("Größe,y\n1,2\n3,5\n".encode("latin-1"))
    assert load(tmp_path / "t.csv", target="y").labels == ("intercept", "Größe")


def test_a_data_frame_without_names_counts_its_columns(tmp_path):
    rows = "".join(f"{i},{i * i},{i + 0.5},{7 * i % 5}\n" for i in range(1, 7))
    problem = load(write(tmp_path, "t.csv", "0,1,2,3\n" + rows), target="3")
    assert problem.labels == ("intercept", "0", "1", "2")
    assert len(problem.y) == 6


def test_a_matrix_that_counts_in_its_first_row_keeps_it(tmp_path):
    path = write(tmp_path, "d.csv", "0,1,2,3\n1,0,1,2\n2,1,0,1\n3,2,1,0\n")
    assert load(path).dimension == 4


def test_a_matrix_with_names_on_both_sides(tmp_path):
    path = write(tmp_path, "c.csv", ",u,v\nu,2,1\nv,1,2\n")
    problem = load(path)
    assert problem.labels == ("u", "v")
    assert problem.operator.to_dense().tolist() == [[2, 1], [1, 2]]


def test_options_reach_the_problem(tmp_path):
    problem = load(write(tmp_path, "t.csv", TABLE), target="y", l2=0.5, loss="rss", intercept=False)
    assert (problem.l2, problem.loss, problem.intercept) == (0.5, "rss", False)


# -- what is refused, and what is honest ----------------------------------------------------------


HOLES = "a,b,y\n1,2,3\n4,,6\n7,8,NA\n9,1,2\n"


def test_missing_values_are_counted_and_may_be_dropped(tmp_path):
    path = write(tmp_path, "t.csv", HOLES)
    sentence = refusal(path, target="y")
    assert "2 of 4 rows have missing values, in b, y (lines 3, 4)" in sentence
    assert "--missing drop" in sentence
    assert load(path, target="y", missing="drop").y.tolist() == [3, 2]
    assert load(path, target="y", missing="drop", drop_columns=["b"]).y.tolist() == [3, 6, 2]
    assert "every row" in refusal(
        write(tmp_path, "n.csv", "a,y\n,1\n2,\n"), target="y", missing="drop"
    )
    assert "missing must be" in refusal(path, target="y", missing="zero")


def test_leaving_out_most_rows_is_remarked_on(tmp_path):
    path = write(tmp_path, "t.csv", "a,y\n1,2\n3,\n4,\n,5\n6,7\n")
    with pytest.warns(ConvexAnalyzerWarning, match="3 of 5 rows have missing values") as caught:
        assert len(load(path, target="y", missing="drop").y) == 2
    assert caught[0].filename == __file__


def test_text_columns_are_named_with_the_way_out(tmp_path):
    rows = "".join(f"{i},city {i},{i * i},k{i}\n" for i in range(1, 30))
    path = write(tmp_path, "t.csv", "a,town,y,my code\n" + rows)
    sentence = refusal(path, target="y")
    assert "column 'town' holds text ('city 1' in line 2)" in sentence
    assert "--drop-columns town --drop-columns 'my code'" in sentence
    assert load(path, target="y", drop_columns=["town", "my code"]).labels == ("intercept", "a")
    assert "the target 'town' holds text" in refusal(path, target="town")


def test_a_single_odd_cell_is_called_that(tmp_path):
    rows = "".join(f"{i},{i * i}\n" for i in range(1, 30))
    sentence = refusal(write(tmp_path, "t.csv", "a,y\n" + rows + "12o,5\n"), target="y")
    assert "has a cell that is not a number, '12o' in line 31; correct the cell" in sentence


@pytest.mark.parametrize("cell", ["2019_01", "1 000", "0x10", "12%", "2020-01-01", "true"])
def test_almost_numbers_are_text(tmp_path, cell):
    path = write(tmp_path, "t.csv", f"a,y\n{cell},1\n{cell},2\n3,4\n")
    assert "holds text" in refusal(path, target="y")


@pytest.mark.parametrize("name", ["id", "ID", "index", "Unnamed: 0", ""])
def test_row_numbers_under_a_name_that_says_so_are_refused(tmp_path, name):
    path = write(tmp_path, "t.csv", f"{name},a,y\n1,2,3\n2,5,4\n3,1,9\n")
    sentence = refusal(path, target="y")
    assert f"column {name!r} numbers the rows" in sentence
    assert "--drop-columns" in sentence


@pytest.mark.parametrize(
    "text",
    [
        "year,a,y\n1947,2,3\n1948,5,4\n1949,1,9\n",  # a year is a regressor
        "index,a,y\n101.5,2,3\n99.25,5,4\n104,1,9\n",  # as is a price index
        "n,a,y\n1,2,3\n2,5,4\n3,1,9\n",  # and a count that is not called an identifier
        "id,a,y\n1,2,3\n1,5,4\n3,1,9\n",  # a class label
    ],
    ids=["year", "price index", "count", "class"],
)
def test_honest_columns_are_kept(tmp_path, text):
    assert load(write(tmp_path, "t.csv", text), target="y").X.shape == (3, 3)


def test_a_constant_column_beside_an_intercept_is_refused(tmp_path):
    path = write(tmp_path, "t.csv", "one,a,y\n1,2,3\n1,5,4\n1,1,9\n")
    sentence = refusal(path, target="y")
    assert "column 'one' is constant, as is the intercept" in sentence
    assert "--no-intercept" in sentence
    assert load(path, target="y", intercept=False).X.shape == (3, 2)


def test_targets_and_columns_that_are_not_there(tmp_path):
    path = write(tmp_path, "t.csv", "TOTEMP,GNP,POP\n1,2,3\n3,1,9\n4,4,4\n")
    assert "did you mean 'TOTEMP'?" in refusal(path, target="totemp")
    assert "did you mean 'TOTEMP'?" in refusal(path, target="TOTEM")
    assert "from -3 to 2; got 3" in refusal(path, target=3)
    assert "no column 'QQQ'; columns: TOTEMP, GNP, POP" in refusal(path, target="QQQ")
    assert "no column 1.5" in refusal(path, target=1.5)
    assert "did you mean 'GNP'?" in refusal(path, target="POP", drop_columns=["GMP"])
    assert "cannot be dropped" in refusal(path, target="POP", drop_columns=["POP"])
    everything = refusal(path, target="POP", drop_columns=["GNP", "TOTEMP"])
    assert "no column is left" in everything
    twice = write(tmp_path, "twice.csv", "a,a,y\n1,2,3\n3,1,9\n")
    assert "several columns are called 'a'" in refusal(twice, target="a")
    assert load(twice, target=0).X.shape == (2, 3)


def test_data_without_a_target_are_told_what_is_missing(tmp_path):
    sentence = refusal(write(tmp_path, "t.csv", TABLE + "1,1,1\n"))
    assert "4 rows and 3 columns (a, b, y)" in sentence
    assert "--target" in sentence
    wide = "".join(f"c{j}," for j in range(30)) + "y\n" + "1," * 30 + "2\n"
    assert "(31 in all)" in refusal(write(tmp_path, "w.csv", wide))
    np.save(tmp_path / "D.npy", np.ones((4, 3)))
    assert "4 x 3: a matrix must be square, and data needs a target" in refusal(tmp_path / "D.npy")


def test_a_square_table_that_is_not_symmetric_may_be_data(tmp_path):
    path = write(tmp_path, "t.csv", TABLE)
    with pytest.raises(NotSymmetricError, match=r"t\.csv: A is not symmetric.*--target"):
        load(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b,y\n", "holds a header and no rows"),
        ("a,y\n1,2\n3\n", "line 3 has 1 cells, the rows above have 2"),
        ("a,y\n1,2\n3,4,5\n", "line 3 has 3 cells"),
        ('a,y\n1,"2\n3,4\n', "quotation mark left open"),
        ("a,y\n1,inf\n3,4\n", "column 'y' has an infinite value in line 2"),
        ("a;y\n1,234;1\n2,345;2\n", "'1,234' may mean thousands or decimals"),
        ("a;y\n1,5;1\n2.5;2\n", "may mean thousands or decimals"),
        ("# only\n# comments\n", "holds no rows"),
    ],
)
def test_broken_tables(tmp_path, text, words):
    assert words in refusal(write(tmp_path, "t.csv", text), target="y")


def test_files_that_are_not_there_or_not_files(tmp_path, monkeypatch):
    write(tmp_path, "longley.csv", TABLE)
    assert "did you mean longley.csv?" in refusal(tmp_path / "longly.csv", target="y")
    assert "check the path" in refusal(tmp_path / "zzz" / "t.csv")
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "d.csv").mkdir()
    assert "is a folder" in refusal(tmp_path / "d.csv")
    assert "cannot be read; known: .csv" in refusal(write(tmp_path, "t.xlsx", "x"))
    assert "cannot be read; known: .csv" in refusal(write(tmp_path, "t.npy.gz", "x"))

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    np.save(tmp_path / "A.npy", TOY)
    assert "permission denied" in refusal(tmp_path / "A.npy")


class Explosive:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_pickles_are_never_loaded(tmp_path):
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(Explosive()))
    assert "not an array in NumPy's format" in refusal(tmp_path / "raw.npy")
    objects = np.array([[Explosive()]], dtype=object)
    np.save(tmp_path / "o.npy", objects, allow_pickle=True)
    assert "Python objects (a pickle)" in refusal(tmp_path / "o.npy")
    np.savez(tmp_path / "o.npz", A=objects, allow_pickle=True)
    assert "o.npz: A holds Python objects" in refusal(tmp_path / "o.npz")


def test_truncated_and_damaged_files(tmp_path):
    np.save(tmp_path / "A.npy", np.eye(50))
    content = (tmp_path / "A.npy").read_bytes()
    (tmp_path / "A.npy").write_bytes(content[:-100])
    assert "is truncated" in refusal(tmp_path / "A.npy")
    (tmp_path / "A.npy").write_bytes(b"")
    assert "is empty" in refusal(tmp_path / "A.npy")
    np.savez_compressed(tmp_path / "A.npz", A=np.eye(50))
    content = (tmp_path / "A.npz").read_bytes()
    (tmp_path / "A.npz").write_bytes(content[: len(content) // 2])
    assert "truncated or damaged" in refusal(tmp_path / "A.npz")
    packed = gzip.compress((TABLE * 200).encode())
    (tmp_path / "t.csv.gz").write_bytes(packed[:-20])
    assert "truncated or damaged" in refusal(tmp_path / "t.csv.gz", target="y")
    (tmp_path / "t.csv.gz").write_bytes(b"no gzip")
    assert "truncated or damaged" in refusal(tmp_path / "t.csv.gz", target="y")
    (tmp_path / "t.csv").write_bytes(b"a,y\n\0\0\0\n")
    assert "is not a text file" in refusal(tmp_path / "t.csv", target="y")
    assert "is empty" in refusal(write(tmp_path, "A.mtx", ""))
    assert "cannot be read" in refusal(write(tmp_path, "A.mtx", "no matrix\n1 2 3\n"))
    short = "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 0.2\n"
    assert "cannot be read" in refusal(write(tmp_path, "A.mtx", short))


def test_sizes_are_bounded_before_anything_is_allocated(tmp_path, monkeypatch):
    header = (
        b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d)}"
    )
    text = (header % (10**9, 10**9)).ljust(127) + b"\n"
    (tmp_path / "A.npy").write_bytes(text)
    assert "more than fit in memory" in refusal(tmp_path / "A.npy")
    with zipfile.ZipFile(tmp_path / "A.npz", "w") as archive:
        archive.writestr("A.npy", text)
    assert "more than fit in memory" in refusal(tmp_path / "A.npz")
    huge = "%%MatrixMarket matrix coordinate real general\n999999999999 999999999999 1\n1 1 1\n"
    assert "more than fit in memory" in refusal(write(tmp_path, "A.mtx", huge))
    dense = "%%MatrixMarket matrix array real general\n99999999 99999999\n1\n"
    assert "more than fit in memory" in refusal(write(tmp_path, "A.mtx", dense))
    monkeypatch.setattr(delimited, "LARGEST", 6)
    assert "more than 6 numbers" in refusal(write(tmp_path, "t.csv", TABLE), target="y")
    monkeypatch.setattr(array_files, "LARGEST", 3)
    np.save(tmp_path / "A.npy", TOY)
    assert "2 x 2 numbers" in refusal(tmp_path / "A.npy")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([[1j, 0], [0, 1]]), "A.npy: A must be real"),
        (np.array([[np.nan, 0], [0, 1]]), "A.npy: A has entries that are not finite"),
        (np.ones((0, 0)), "A.npy: A must be square and not empty"),
        (np.ones(3), "A.npy: A must be square"),
        (np.array([["a", "b"], ["b", "c"]]), "A.npy: A must hold numbers"),
        (np.array([[1.0, 2.0], [3.0, 1.0]]), "A.npy: A is not symmetric"),
        (np.zeros((2, 2), dtype=[("u", float)]), "A.npy holds [('u', '<f8')], not numbers"),
        (np.zeros((2, 2), dtype="M8[s]"), "A.npy holds datetime64[s], not numbers"),
    ],
    ids=["complex", "nan", "empty", "vector", "text", "asymmetric", "records", "dates"],
)
def test_arrays_that_are_no_symmetric_matrix(tmp_path, value, words):
    np.save(tmp_path / "A.npy", value)
    assert words in refusal(tmp_path / "A.npy")


def test_archives_that_hold_something_else(tmp_path):
    np.savez(tmp_path / "w.npz", weights=TOY, bias=TOY)
    assert "holds bias and weights; expected A" in refusal(tmp_path / "w.npz")
    np.savez(tmp_path / "x.npz", X=TOY, z=TOY)
    assert "holds X and z" in refusal(tmp_path / "x.npz")
    np.savez(tmp_path / "a.npz", A=TOY)
    assert "has no target" in refusal(tmp_path / "a.npz", target="b")
    np.savez(tmp_path / "d.npz", X=TOY, y=np.ones(3))
    assert "d.npz: y must have one value per row" in refusal(tmp_path / "d.npz")
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "not an array in NumPy's format" in refusal(tmp_path / "t.npz")
    np.savez(tmp_path / "s.npz", format=b"dia", shape=[2, 2], data=TOY, offsets=[0])
    assert "format 'dia' cannot be read" in refusal(tmp_path / "s.npz")


@pytest.mark.parametrize(
    "option", [{"intercept": True}, {"l2": 0.1}, {"loss": "mse"}, {"missing": "drop"}], ids=str
)
def test_options_for_data_are_not_ignored_with_a_matrix(tmp_path, option):
    np.save(tmp_path / "A.npy", TOY)
    (name,) = option
    assert f"A.npy: {name} is for data" in refusal(tmp_path / "A.npy", **option)


def test_options_that_make_no_sense_keep_their_own_sentence(tmp_path):
    path = write(tmp_path, "t.csv", TABLE)
    assert refusal(path, target="y", loss="l1").startswith("loss must be one of")
    assert refusal(path, target="y", l2=-1.0).startswith("l2 must be non-negative")
