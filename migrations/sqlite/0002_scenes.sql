-- A specification has a list of scenes where it had one photo, and says what size its frames have.
UPDATE jobs SET spec = json_object(
    'scenes', json_array(json_object(
        'photo', json_extract(spec, '$.photo'),
        'motion', json_extract(spec, '$.motion'))),
    'crossfade', 0.0,
    'output', json_insert(json_extract(spec, '$.output'), '$.frame', 'like_first_photo'))
WHERE json_extract(spec, '$.scenes') IS NULL;
