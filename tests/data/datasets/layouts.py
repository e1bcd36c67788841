"""Tiny invented copies of open data sets, in their owners' layouts."""

from __future__ import annotations

import csv
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data.datasets.hands.ram_h1200 import KINDS
from tests.helpers.drawn_ultrasound import Screen, draw

EROSION, NARROWING = ([f"{kind}_{name}" for name in names.split()] for kind, _, names in KINDS)
H1200 = "SvdH_Scoring/SvdH_{kind}_Scoring/{split}/_annotation_{low}_scores.json"


def grey(seed: int, rows: int = 96, columns: int = 64) -> np.ndarray:
    """A smooth picture without anything that looks like lettering."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 200, (4, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((columns, rows), Image.Resampling.BICUBIC)).copy()
    return (smooth + rng.integers(0, 5, smooth.shape)).astype(np.uint8)


def save(path: Path, pixels: np.ndarray, mode: str = "L") -> Path:
    """Write a picture in one of the kinds in which sets are published."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_rows(path: Path, rows: list[list[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def ram_h1200(folder: Path, films: dict[str, list[str]] | None = None) -> Path:
    """films: split -> stems. The grades of a film go 0, 1, 2 ... in the order of the keys."""
    films = films or {
        "train": ["JP_AAAA_P0001_20120105_0101_L", "JP_AAAA_P0001_20140105_0202_L"],
        "test": ["CN_BBBB_P0002_20130201_0303_R"],
    }
    for split, stems in films.items():
        for number, stem in enumerate(stems):
            pixels = grey(sum(map(ord, stem)) + number)
            save(folder / f"Segmentation/{split}/{stem}.bmp", pixels)
            for kind, keys in (("BE", EROSION), ("JSN", NARROWING)):
                for place, key in enumerate(keys):
                    row, column = 3 * place, 2 * place
                    crop = pixels[row : row + 12, column : column + 10]
                    name = key.removeprefix(f"{kind}_")
                    save(folder / f"SvdH_Scoring/SvdH_{kind}_Scoring/{split}/{stem}/{name}.bmp", crop)
        for kind, keys, top in (("BE", EROSION, 6), ("JSN", NARROWING, 5)):
            path = folder / H1200.format(kind=kind, split=split, low=kind.lower())
            grades = {key: place % top for place, key in enumerate(keys)}
            write_json(path, {f"{stem}.bmp": grades for stem in stems})
    return folder


def ram_w600(folder: Path) -> Path:
    joints = ("Metacarpal1st", "Trapzium", "Scaphoid", "Lunate", "DistalRadius", "DistalUlna")
    rows = []
    for split, stem, mode in (("train", "0001_0001_L", "P"), ("test", "0002_0001_R", "RGB")):
        pixels = grey(len(rows) + 40, 64, 64)
        save(folder / f"JointLocationDetection/images/{stem}.bmp", pixels, mode)
        save(folder / f"BoneSegmentation/images/{stem}.bmp", pixels, mode)
        for joint in joints:
            save(folder / f"SvdHBEScoreClassification/{split}/{stem}/{joint}.bmp", pixels[:12, :12])
        rows.append({"identifier": stem, "joints": {name: place for place, name in enumerate(joints)}})
    write_json(folder / "SvdHBEScoreClassification/JointBE_SvdH_GT.json", rows)
    boxes = {
        "images": [{"id": 1, "file_name": "0001_0001_L.bmp", "width": 64, "height": 64}],
        "categories": [{"id": 1, "name": "Lunate"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 20, 10, 10]}],
    }
    write_json(folder / "JointLocationDetection/Joints.coco.json", boxes)
    return folder


def dream_sites() -> list[str]:
    """The 86 columns of sites."""
    wrist = {"E": "mc1 mul nav lunate radius ulna", "J": "cmc3 cmc4 cmc5 mna capnlun radcar"}
    names = []
    for hand in ("LH", "RH"):
        names.append(f"{hand}_mcp_E__ip")
        for letter in "EJ":
            names += [f"{hand}_pip_{letter}__{finger}" for finger in range(2, 6)]
            names += [f"{hand}_mcp_{letter}__{finger}" for finger in range(1, 6)]
            names += [f"{hand}_wrist_{letter}__{name}" for name in wrist[letter].split()]
    for foot in ("LF", "RF"):
        for letter in "EJ":
            names += [f"{foot}_mtp_{letter}__{toe}" for toe in ("ip", 1, 2, 3, 4, 5)]
    return names


def ra2_dream(folder: Path, subjects: tuple[str, ...] = ("UAB001", "UAB002")) -> Path:
    """Grades are 1 at every fifth site; sums are those of the grades."""
    sites = dream_sites()
    rows: list[list[Any]] = [["Patient_ID", "Overall_Tol", "Overall_erosion", "Overall_narrowing", *sites]]
    for number, subject in enumerate(subjects):
        grades = [int(place % 5 == number) for place in range(len(sites))]
        erosion = sum(grade for grade, site in zip(grades, sites, strict=True) if "_E__" in site)
        rows.append([subject, sum(grades), erosion, sum(grades) - erosion, *grades])
        for place, limb in enumerate(("LH", "RH", "LF", "RF")):
            save(folder / f"{subject}-{limb}.jpg", grey(100 + 10 * number + place, 64, 48))
    write_rows(folder / "training.csv", rows)
    return folder


def arise(folder: Path) -> Path:
    """Two joints, three experts: expert e gives the grade e - 1, the third none of the second joint."""
    save(folder / "jpeg/1.jpeg", grey(60, 60, 80))
    joints = (("left", "PIP", "2"), ("right", "MCP", "1"))
    scores: list[list[Any]] = [["", "patient_id", "hand", "joint", "finger", "disease", "score", "expert_id"]]
    boxes: list[list[Any]] = [["", "patient_id", "hand", "joint", "finger", "xcenter", "ycenter", "dx", "dy"]]
    for number, joint in enumerate(joints):
        boxes.append([number, 1, *joint, 15 + 45 * number, 20, 8, 8])
        for disease in ("erosion", "JSN"):
            for expert in (1, 2, 3):
                score = "" if expert == 3 and number == 1 else expert - 1
                scores.append([number, 1, *joint, disease, score, expert])
    write_rows(folder / "scores.csv", scores)
    write_rows(folder / "bboxes.csv", boxes)
    write_json(folder / "split_info.json", {"train": [1], "val": [], "test": []})
    return folder


def csxa_points() -> dict[str, list[list[float]]]:
    """Label -> vertices; the front is at the left, a vertebra every 12 pixels."""
    points: dict[str, list[list[float]]] = {"C2 centroid": [[20, 8]]}
    for number in range(2, 8):
        top = 12.0 * (number - 2)
        for edge, y in (("top", top), ("bottom", top + 8)):
            if number > 2 or edge == "bottom":
                points[f"C{number} {edge} left"] = [[20, y]]
                points[f"C{number} {edge} right"] = [[32, y]]
    return points


def csxa(folder: Path, stem: str = "0001001", points: dict[str, list[list[float]]] | None = None) -> Path:
    save(folder / f"datasets-PNG/{stem}.png", grey(int(stem) % 1000, 80, 60))
    given = csxa_points() if points is None else points
    shapes = [{"label": label, "points": found, "shape_type": "point"} for label, found in given.items()]
    write_json(folder / f"datasets-JSON/{stem}.json", {"version": "5.0", "shapes": shapes})
    return folder


def buu(folder: Path, stem: str = "0001-F-050", swapped: tuple[int, ...] = ()) -> Path:
    """Eleven endplates, one every 7 pixels. swapped: rows whose two points stand the other way round."""
    save(folder / f"LA/{stem}Y1.jpg", grey(81, 90, 60))
    save(folder / f"AP/{stem}Y0.jpg", grey(82, 90, 60))
    for view, count in (("LA", 11), ("AP", 10)):
        rows = [[20, 5 + 7 * row, 40, 6 + 7 * row, 0] for row in range(count)]
        rows = [
            [x2, y2, x1, y1, label] if view == "LA" and number in swapped else [x1, y1, x2, y2, label]
            for number, (x1, y1, x2, y2, label) in enumerate(rows)
        ]
        write_rows(folder / f"{view}/{stem}Y{int(view == 'LA')}.csv", rows)
    return folder


def spondylolisthesis(folder: Path) -> Path:
    where = folder / "Dataset/Train/Keypointrcnn_data"
    save(where / "images/train/1-F-050Y1_jpg.rf.aa.jpg", grey(91, 64, 64))
    save(where / "images/val/2.jpg", grey(92, 64, 64))
    corners = [[[40, 11, 1], [10, 10, 1], [11, 25, 1], [40, 24, 1]]]
    content = {"boxes": [[10, 10, 40, 25]], "labels": [1], "keypoints": corners}
    write_json(where / "labels/train/1-F-050Y1_jpg.rf.aa.json", content)
    text = "0 0.39 0.27 0.47 0.23 0.16 0.16 1 0.62 0.17 1 0.17 0.39 1 0.62 0.37 1\n"
    (where / "labels/val").mkdir(parents=True)
    (where / "labels/val/2.txt").write_text(text, encoding="utf-8")
    return folder


def nhanes(folder: Path) -> Path:
    save(folder / "hands/H00001.png", grey(95, 64, 64))
    save(folder / "cervical/C00001.tif", grey(96, 64, 64))
    return folder


def volume(path: Path, values: np.ndarray, *, packed: bool = True) -> Path:
    """Write (third, second, first) values as MetaImage: the first axis runs to the back, the second to the
    head, the third to the left.
    """
    header = [
        "ObjectType = Image", "NDims = 3", "BinaryDataByteOrderMSB = False", f"CompressedData = {packed}",
        "TransformMatrix = 0 1 0 0 0 1 1 0 0", "Offset = -10 -20 -30", "ElementSpacing = 0.5 0.75 4",
        f"DimSize = {' '.join(map(str, values.shape[::-1]))}", "ElementType = MET_SHORT",
        "ElementDataFile = LOCAL",
    ]  # fmt: skip
    content = np.ascontiguousarray(values.astype("<i2")).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(header).encode() + b"\n"
    path.write_bytes(text + (zlib.compress(content) if packed else content))
    return path


def spider(folder: Path) -> Path:
    """Three slices a volume; gradings of two discs, and a row for no disc."""
    head = "Patient,IVD label,Modic,UP endplate,LOW endplate,Spondylolisthesis,Disc herniation,Disc narrowing"
    head += ",Disc bulging,Pfirrman grade"
    lines = [head, "1,1,1,0,1,0,0,1,1,4", "1,2,0,0,0,0,0,0,0,2"]
    for place, sequence in enumerate(("t1", "t2")):
        values = np.stack([grey(20 + 3 * place + slice_, 40, 32).astype(int) for slice_ in range(3)])
        volume(folder / f"images/1_{sequence}.mha", values)
    folder.joinpath("radiological_gradings.csv").write_text("\n".join(lines))
    write_rows(
        folder / "overview.csv", [["new_file_name", "subset"], ["1_t1", "training"], ["1_t2", "training"]]
    )
    return folder


def msk_us(folder: Path) -> Path:
    """A finger joint in grey scale and with flow, and a wrist held out."""
    head = "eco_id,joint_type,tipo_imagen,eg_sinovial,pd_sinovial,bone_erosion,split"
    lines = [head, "e1,MCF,Modo B,2,,0,0", "e1d,MCF,Power Doppler,,1,,0", "e2,Radiocarpiana,Modo B,1,,,-1"]
    (folder / "pos1").mkdir(parents=True)
    (folder / "labels_with_splits.csv").write_text("\n".join(lines))
    for place, name in enumerate(("e1.png", "e1d.bmp", "e2.png")):
        screen = Screen(text="", mark="", seed=place, flow=40 if name == "e1d.bmp" else 0)
        Image.fromarray(draw(screen)).save(folder / "pos1" / name)
    return folder


LAYOUTS = {
    "ram-h1200": ram_h1200,
    "ram-w600": ram_w600,
    "ra2-dream": ra2_dream,
    "arise-2025": arise,
    "csxa": csxa,
    "buu-lspine": buu,
    "spondylolisthesis-landmark": spondylolisthesis,
    "spider": spider,
    "msk-us": msk_us,
    "nhanes": nhanes,
}
