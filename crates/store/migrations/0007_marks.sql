-- The four marks of a call, each in a column of its own. They were one text, `90,80,70,60`, in `quality`; a process of the release
-- before may still write that, so the column stays for now and is read where the four are empty.

ALTER TABLE calls ADD COLUMN professionalism {integer};
ALTER TABLE calls ADD COLUMN empathy {integer};
ALTER TABLE calls ADD COLUMN information_gathering {integer};
ALTER TABLE calls ADD COLUMN resolution {integer};

-- From either end the digits up to the next comma are a mark. Both databases know `ltrim` and `rtrim` with a set of characters.
UPDATE calls SET
    professionalism = CAST(substr(quality, 1, length(quality) - length(ltrim(quality, '0123456789'))) AS {integer}),
    empathy = CAST(substr(
        ltrim(ltrim(quality, '0123456789'), ','),
        1,
        length(ltrim(ltrim(quality, '0123456789'), ',')) - length(ltrim(ltrim(ltrim(quality, '0123456789'), ','), '0123456789'))
    ) AS {integer}),
    information_gathering = CAST(substr(
        rtrim(rtrim(quality, '0123456789'), ','),
        length(rtrim(rtrim(rtrim(quality, '0123456789'), ','), '0123456789')) + 1
    ) AS {integer}),
    resolution = CAST(substr(quality, length(rtrim(quality, '0123456789')) + 1) AS {integer})
    WHERE quality IS NOT NULL;
