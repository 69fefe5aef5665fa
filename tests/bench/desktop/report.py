# SPDX-License-Identifier: MIT
"""From the figures of all runs to medians, ratios and the targets: met, missed, or not measured."""
import statistics

# What a desktop is measured by, per scene: (key, what it says, unit). The ratio is ours to stock's.
MOVING = ['pictures_per_s', 'drawn_per_s', 'torn_per_s', 'flush_p50', 'flush_p95', 'age_p95', 'mbit_per_s', 'kbit_per_picture', 'ssim',
          'psnr', 'outside', 'cpu_ms_per_picture', 'left_ms_per_picture', 'left_cores', 'client_ms_per_picture', 'exact_after']
ROWS = {
    'gl': MOVING + ['key_p50', 'key_p95', 'keys_lost'],
    'world': MOVING + ['key_p50', 'key_p95', 'keys_lost'],
    'window': MOVING,
    'video': MOVING,
    'scroll': MOVING,
    'typing': ['key_p50', 'key_p95', 'keys_lost', 'bytes_per_key', 'left_cores', 'exact_after'],
    'still': ['picture_bytes', 'bytes_per_s', 'left_cores', 'own_cores'],
}
FILM = ['flush_p50', 'flush_p95', 'shown_share']
UNITS = {'pictures_per_s': '/s', 'drawn_per_s': '/s', 'torn_per_s': '/s', 'mbit_per_s': 'Mbit/s',
         'kbit_per_picture': 'kbit', 'psnr': 'dB', 'outside': 'px', 'bytes_per_key': 'B', 'picture_bytes': 'B', 'bytes_per_s': 'B/s', 'shown_share': '', 'left_cores': 'cores', 'own_cores': 'cores',
         'keys_lost': '', 'ssim': ''}


def derive(figures, ground):
    """Adds what follows from one run's raw figures. ground: CPU seconds by kind of one frame nobody looks at."""
    cpu, wall = figures['cpu'], figures['wall']
    total = sum(cpu.values())
    drawing = sum(used for kind, used in (ground or {}).items() if kind == 'raster' or kind.startswith('render'))
    left = total - cpu.get('vcpu', 0) - drawing * figures.get('drawn', 0)
    figures['cpu_total'] = total
    figures['cpu_left'] = left
    figures['left_cores'] = left / wall
    figures['own_cores'] = sum(used for kind, used in cpu.items() if not kind.startswith(('qemu', 'vcpu'))) / wall
    figures['mbit_per_s'] = figures['bytes_per_s'] * 8 / 1e6
    figures['picture_bytes'] = sum(n for name, n in figures['bytes'].items() if name.startswith('display'))
    pictures = figures.get('pictures')
    if pictures:
        figures['cpu_ms_per_picture'] = total * 1000 / pictures
        figures['client_ms_per_picture'] = figures['client_cpu'] * 1000 / pictures
        figures['left_ms_per_picture'] = left * 1000 / pictures
        figures['kbit_per_picture'] = figures['bytes_per_s'] * 8 * wall / pictures / 1000
    return figures


def median(runs, key):
    values = [run[key] for run in runs if run.get(key) is not None]
    # A figure that most runs did not get is no figure.
    return statistics.median(values) if values and 2 * len(values) > len(runs) else None


def ratio(ours, stock):
    return ours / stock if ours is not None and stock else None


class Results:
    """runs[(side, line, scene)]: a list of one dictionary a run."""

    def __init__(self):
        self.runs = {}

    def add(self, side, line, scene, figures):
        self.runs.setdefault((side, line, scene), []).append(figures)

    def get(self, side, line, scene, key):
        return median(self.runs.get((side, line, scene), []), key)

    def ratio(self, line, scene, key):
        return ratio(self.get('vitrine', line, scene, key), self.get('stock', line, scene, key))

    def cases(self):
        return list(dict.fromkeys((line, scene) for _, line, scene in self.runs))


def show(value):
    if value is None:
        return '-'
    return f'{value:.0f}' if abs(value) >= 100 else f'{value:.2f}' if abs(value) < 10 else f'{value:.1f}'


def table(results):
    lines = []
    for line, scene in results.cases():
        lines.append(f'{scene} over {line}')
        lines.append(f'  {"":22} {"Vitrine":>9} {"stock":>9} {"ratio":>7}')
        for key in FILM if scene == 'film' else ROWS[scene]:
            ours, stock = (results.get(side, line, scene, key) for side in ('vitrine', 'stock'))
            name = f'{key} {UNITS.get(key, "ms")}'
            lines.append(f'  {name:22} {show(ours):>9} {show(stock):>9} {show(ratio(ours, stock)):>7}')
    return '\n'.join(lines)


# (what, line, scene, key, 'ratio' or 'value', 'max' or 'min', bound)
TARGETS = [
    ('key to picture, p50', 'loopback', 'typing', 'key_p50', 'ratio', 'max', 0.75),
    ('key to picture, p95', 'loopback', 'typing', 'key_p95', 'ratio', 'max', 0.5),
    ('full-screen GL, pictures', 'loopback', 'gl', 'pictures_per_s', 'ratio', 'min', 1.8),
    ('full-screen GL, CPU a picture', 'loopback', 'gl', 'cpu_ms_per_picture', 'ratio', 'max', 0.6),
    ('GL in a window, CPU left a picture', 'loopback', 'window', 'left_ms_per_picture', 'ratio', 'max', 0.3),
    ('full-screen GL, bits a picture', 'loopback', 'gl', 'kbit_per_picture', 'ratio', 'max', 0.3),
    ('full-screen GL, luma SSIM', 'loopback', 'gl', 'ssim', 'value', 'min', 0.97),
    ('whole moving screen, pictures', 'loopback', 'world', 'pictures_per_s', 'ratio', 'min', 1.8),
    ('whole moving screen, CPU a picture', 'loopback', 'world', 'cpu_ms_per_picture', 'ratio', 'max', 0.6),
    ('whole moving screen, bits a picture', 'loopback', 'world', 'kbit_per_picture', 'ratio', 'max', 0.3),
    ('whole moving screen, luma SSIM', 'loopback', 'world', 'ssim', 'value', 'min', 0.97),
    ('film 1080p60 flush to shown, p50', 'loopback', 'film', 'flush_p50', 'value', 'max', 35),
    ('film 1080p60 flush to shown, p95', 'loopback', 'film', 'flush_p95', 'value', 'max', 50),
    ('film 1080p60, share shown', 'loopback', 'film', 'shown_share', 'value', 'min', 0.95),
    ('video in a window, bits a picture', 'loopback', 'video', 'kbit_per_picture', 'ratio', 'max', 0.3),
    ('video in a window, luma SSIM', 'loopback', 'video', 'ssim', 'value', 'min', 0.97),
    ('typing, bytes', 'loopback', 'typing', 'bytes_per_key', 'ratio', 'max', 0.5),
    ('scrolling, bytes a picture', 'loopback', 'scroll', 'kbit_per_picture', 'ratio', 'max', 0.5),
    ('exact after scrolling ends', 'loopback', 'scroll', 'exact_after', 'value', 'max', 300),
    ('exact after full-screen GL ends', 'loopback', 'gl', 'exact_after', 'value', 'max', 300),
    ('exact after the whole screen\'s motion ends', 'loopback', 'world', 'exact_after', 'value', 'max', 300),
    ('exact after a window\'s motion ends', 'loopback', 'window', 'exact_after', 'value', 'max', 300),
    ('text beside a video stays exact', 'loopback', 'video', 'outside', 'value', 'max', 0),
    ('still, bytes of picture messages', 'loopback', 'still', 'picture_bytes', 'value', 'max', 0),
    ('still, cores used by our processes', 'loopback', 'still', 'own_cores', 'value', 'max', 0.005),
    ('full-screen GL, age p95', '5M+40ms', 'gl', 'age_p95', 'value', 'max', 250),
    ('whole moving screen, age p95', '5M+40ms', 'world', 'age_p95', 'value', 'max', 250),
    ('key during the latter, p95', '5M+40ms', 'world', 'key_p95', 'value', 'max', 200),
    ('key during full-screen GL, p95', '5M+40ms', 'gl', 'key_p95', 'value', 'max', 200),
    ('key while typing, p95', '5M+40ms', 'typing', 'key_p95', 'value', 'max', 200),
]


def judge(results):
    """[(what, value, bound as text, 'met' | 'missed' | 'not measured')]"""
    verdicts = []
    for what, line, scene, key, kind, way, bound in TARGETS:
        runs = results.runs.get(('vitrine', line, scene))
        value = results.ratio(line, scene, key) if kind == 'ratio' else results.get('vitrine', line, scene, key)
        if value is None:
            # A picture that never became exact is a miss, not a gap.
            verdict = 'missed' if runs and key == 'exact_after' else 'not measured'
        else:
            verdict = 'met' if (value <= bound if way == 'max' else value >= bound) else 'missed'
        text = f'{"<=" if way == "max" else ">="} {bound}{"x stock" if kind == "ratio" else ""}'
        verdicts.append((f'{what}, {line}', value, text, verdict))
    return verdicts


def verdict_table(verdicts):
    return '\n'.join(f'  {verdict:13} {what:48} {show(value):>8}   {bound}' for what, value, bound, verdict in verdicts)
