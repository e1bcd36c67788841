"""Stored files of a film that is there already: looked at again when it is delivered again, and made anew."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from data.dicom.previews import film_path, preview_fault, preview_path
from data.dicom.read import Refusal
from data.dicom.stored_file import FilmFile, read_back


@dataclass(frozen=True)
class Fault:
    """What is wrong with the stored film or the preview of ``image``; no ``words`` where nothing is."""

    image: str = ""
    words: str = ""
    is_of_film: bool = False

    def mended(self, made: FilmFile, in_film: int | None) -> tuple[FilmFile, int | None]:
        """The film to write for the damaged one, and where its preview finds the pixels in it.

        made: the delivered film as it would be stored now. A later version may store it otherwise than it
        was: then the preview alone can be made anew, with pixels of its own, beside the film that is there.
        Raises Refusal where the film itself is damaged and cannot be made as it was.
        """
        if made.image == self.image:
            return made, in_film
        if self.is_of_film:
            raise Refusal(
                f"{self.words} (image {self.image[:12]}) and cannot be made anew as it was, because this "
                "version takes more identity out of it; put that file back from a backup"
            )
        return replace(made, image=self.image, is_there=True), None


def fault_of(folder: Path, image: str, preview_hash: str | None = None) -> Fault:
    """What is wrong with the stored files of an image: film read whole, preview held against it.

    preview_hash: of the preview as it was written, where the cohort has it.
    """
    path = film_path(folder, image)
    if not path.is_file():
        return Fault(image, "the stored film is missing", is_of_film=True)
    film = read_back(path)
    if film.image != image:
        return Fault(image, "the stored film was changed or cut short", is_of_film=True)
    words = preview_fault(preview_path(folder, image), film, preview_hash)
    return Fault(image, f"the preview {words}") if words else Fault()


def sync_folder(folder: Path) -> None:
    """Bring the names of files that were moved into a folder to the disk, where the file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some network file systems know no such thing
        return
    finally:
        os.close(handle)
