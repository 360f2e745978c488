"""A procedural scene in the layouts of the papers' data sets: ``published_writers.py SCENE OUT``.

LERF-Mask's and 3D-OVS's writers are those of `native_writers`; Replica's layout is the one that
procedural worlds are drawn in.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
from native_writers import write_lerf_mask, write_model, write_ovs3d

from semsplat.data.images import write_png
from semsplat.data.poses import rigid_inverse
from semsplat.data.scene import (
    Scene,
    load_depth,
    load_ids,
    load_image,
    load_scene,
    load_semantics,
)

NYU40 = {
    "wall": (1, "wall"), "floor": (2, "floor"), "rug": (2, "floor"), "chair": (5, "chair"),
    "sofa": (6, "sofa"), "table": (7, "table"), "picture": (11, "picture"),
    "cushion": (18, "pillow"), "box": (29, "box"), "lamp": (35, "lamp"),
}  # fmt: skip
"""Raw categories of the drawn worlds that have a class there; the others are void."""


def write_labels(scene: Scene, folder: Path) -> None:
    """Write a JSON per labelled picture, as LERF-OVS and GAGS have them."""
    folder.mkdir(parents=True)
    for frame in scene.frames:
        if frame.annotations_path is not None:
            shutil.copy(frame.annotations_path, folder / f"{frame.name}.json")


def write_lerf_ovs(scene: Scene, root: Path, labels: Path) -> None:
    """Write LERF-OVS's layout: a model, its photographs, and labels of some."""
    write_model(scene, root / "sparse/0")
    write_labels(scene, labels)
    for frame in scene.frames:
        write_png(root / f"images/{frame.name}.png", load_image(frame))


def write_mipnerf360(scene: Scene, root: Path, labels: Path) -> None:
    """Write Mip-NeRF 360's layout: a model of images twice as large, labels of their copies."""
    write_model(scene, root / "sparse/0", 2)
    write_labels(scene, labels)
    for frame in scene.frames:
        image, name = load_image(frame), f"{frame.name}.png"
        write_png(root / "images_2" / name, image)
        write_png(root / "images" / name, image.repeat(2, axis=0).repeat(2, axis=1))


def write_scannet(scene: Scene, root: Path, table: Path) -> None:
    """Write ScanNet's layout, frames by number; one more image has no pose."""
    classes = load_semantics(scene)["classes"]
    lines = ["id\traw_category\tcategory\tnyu40id\tnyu40class"]
    for entry in classes:
        number, name = NYU40.get(entry["name"], ("", ""))
        lines.append(f"{entry['id']}\t{entry['name']}\t{entry['name']}\t{number}\t{name}")
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text("\n".join(lines) + "\n")
    for kind in ("color", "depth"):
        K = np.eye(4)
        K[:3, :3] = scene.frames[0].K
        K[:2, 2] -= 0.5  # centres of pixels are integers there
        (root / "intrinsic").mkdir(parents=True, exist_ok=True)
        np.savetxt(root / f"intrinsic/intrinsic_{kind}.txt", K)
    (root / "pose").mkdir()
    for number, frame in enumerate(scene.frames):
        assert frame.labels_path is not None
        jpg = cv2.imencode(".jpg", load_image(frame)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1]
        (root / "color").mkdir(exist_ok=True)
        (root / f"color/{number}.jpg").write_bytes(jpg)
        millimetres = np.round(1000 * load_depth(frame)).astype(np.uint16)
        write_png(root / f"depth/{number}.png", millimetres)
        labels = load_ids(frame.labels_path, frame).astype(np.uint16)
        write_png(root / f"label-filt/{number}.png", labels)
        np.savetxt(root / f"pose/{number}.txt", rigid_inverse(frame.viewmat))
    lost = len(scene.frames)
    shutil.copy(root / "color/0.jpg", root / f"color/{lost}.jpg")
    (root / f"pose/{lost}.txt").write_text(f"{' '.join(['-inf'] * 4)}\n" * 4)


def write_all(scene: Scene, out: Path) -> None:
    """Write the scene into the places that params.yaml has for the data sets, called ``desk``."""
    write_scannet(scene, out / "scannet/desk", out / "scannet/scannetv2-labels.combined.tsv")
    write_lerf_ovs(scene, out / "lerf_ovs/desk", out / "lerf_ovs/label/desk")
    write_mipnerf360(scene, out / "360_v2/desk", out / "gags_labels/desk")
    names = [frame.name for frame in scene.test]
    write_lerf_mask(scene, out / "lerf_mask/desk", {name: name for name in names})
    write_ovs3d(scene, out / "ovs3d/desk", ("00", "05"))


if __name__ == "__main__":
    write_all(load_scene(Path(sys.argv[1])), Path(sys.argv[2]))
