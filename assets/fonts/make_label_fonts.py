#!/usr/bin/env python3
"""Makes label-latin.ttf, label-han.otf and label_fonts.json beside this script (needs fonttools).

    make_label_fonts.py LATIN HAN     LATIN = NotoSans-Regular.ttf of Debian's fonts-noto-core 20201225-1
                                      HAN   = NotoSansCJK-Regular.ttc of Debian's fonts-noto-cjk 1:20220127+repack1-1

Keeps the letters of Latin, Greek and Cyrillic of the one, and of the other the few characters that a label says "AI-generated" with
in Chinese, Japanese and Korean. Hints, kerning and other tables that drawing does not need are dropped, and the fonts are renamed:
they are modified versions (SIL OFL 1.1). The same input gives the same bytes.
"""
import hashlib, io, json, os, sys
from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

LATIN = [(0x20, 0x7e), (0xa0, 0x17f), (0x218, 0x21b), (0x370, 0x3ff), (0x400, 0x45f), (0x490, 0x491), (0x1e80, 0x1e85),
         (0x1e9e, 0x1e9e), (0x2010, 0x2015), (0x2018, 0x201e), (0x2022, 0x2022), (0x2026, 0x2026), (0x20ac, 0x20ac)]
HAN = '人工智能生成合成由制作内容本图片绘画为的知慧作品，。：（）・で于與与經经인공지능생성이미지'
SIMPLIFIED = 'Noto Sans CJK SC'


def cut(font, unicodes, family):
    options = subset.Options()
    options.hinting = False
    options.desubroutinize = True
    options.layout_features = []
    options.notdef_outline = True
    options.name_IDs = [0, 13, 14]
    options.drop_tables += ['GSUB', 'GPOS', 'GDEF', 'BASE', 'VORG', 'vhea', 'vmtx', 'DSIG', 'STAT', 'meta']
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=unicodes)
    cutter.subset(font)
    for number, text in ((1, family), (2, 'Regular'), (4, family), (6, family.replace(' ', ''))):
        font['name'].setName(text, number, 3, 1, 0x409)
    if 'CFF ' in font:
        cff = font['CFF '].cff
        cff.fontNames = [family.replace(' ', '')]
        cff.topDictIndex[0].FullName = cff.topDictIndex[0].FamilyName = family
    out = io.BytesIO()
    font.recalcTimestamp = False
    font.save(out)
    return out.getvalue()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    latin, han = sys.argv[1:]
    collection = TTCollection(han)
    simplified = next(f for f in collection.fonts if f['name'].getDebugName(4) == SIMPLIFIED)
    jobs = [
        ('label-latin.ttf', latin, TTFont(latin), [c for a, b in LATIN for c in range(a, b + 1)], 'pinxit label latin', 'fonts-noto-core', '20201225-1'),
        ('label-han.otf', han, simplified, [ord(c) for c in HAN], 'pinxit label han', 'fonts-noto-cjk', '1:20220127+repack1-1'),
    ]
    entries = []
    for name, source, font, wanted, family, package, version in jobs:
        copyright = font['name'].getDebugName(0)
        data = cut(font, wanted, family)
        open(os.path.join(here, name), 'wb').write(data)
        kept = sorted(TTFont(io.BytesIO(data)).getBestCmap())
        entries.append({
            'file': name, 'sha256': hashlib.sha256(data).hexdigest(), 'bytes': len(data), 'characters': len(kept),
            'what': 'the letters of visible labels, cut from ' + os.path.basename(source),
            'source': 'debian:' + package, 'version': version,
            'source_file_sha256': hashlib.sha256(open(source, 'rb').read()).hexdigest(),
            'copyright': copyright, 'reserved_font_name': None, 'licence': 'OFL-1.1', 'notices': ['OFL-1.1.txt'],
            'made_by': 'make_label_fonts.py',
        })
    with open(os.path.join(here, 'label_fonts.json'), 'w') as out:
        json.dump(entries, out, indent=1, ensure_ascii=False)
        out.write('\n')


main()
