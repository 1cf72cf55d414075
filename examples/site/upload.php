<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

const IMAGES = [IMAGETYPE_PNG => 'image/png', IMAGETYPE_JPEG => 'image/jpeg', IMAGETYPE_GIF => 'image/gif', IMAGETYPE_WEBP => 'image/webp'];

/** What went wrong with an upload, in words; '' where nothing did. */
function upload_problem(?array $file, string $limit): string
{
    if ($file === null) {
        return 'No file came with the form.';
    }
    return match ($file['error']) {
        UPLOAD_ERR_OK => '',
        UPLOAD_ERR_INI_SIZE, UPLOAD_ERR_FORM_SIZE => "The file is larger than the $limit that PHP allows here.",
        UPLOAD_ERR_PARTIAL => 'The file arrived only in part.',
        UPLOAD_ERR_NO_FILE => 'Please choose a file first.',
        default => 'PHP could not store the file.',
    };
}

/** '2M' as php.ini has it, for people. */
function size_for_people(string $ini): string
{
    return preg_match('/^(\d+)([KMG])$/i', $ini, $match) ? "$match[1] " . strtoupper($match[2]) . 'B' : "$ini bytes";
}

start_session();
session_write_close();
$limit = size_for_people((string) ini_get('upload_max_filesize'));
$result = '';
if (method() === 'POST') {
    $file = $_FILES['file'] ?? null;
    $file = is_array($file) && is_string($file['name'] ?? null) ? $file : null;
    if ($_POST === [] && $_FILES === []) {
        http_response_code(413);
        $result = notice('error', 'The request is larger than the ' . e(size_for_people((string) ini_get('post_max_size'))) . ' that PHP takes.');
    } elseif (!token_matches()) {
        $result = notice('error', 'This form did not come from this site, or your session has ended. Please send it again.');
    } elseif (($problem = upload_problem($file, $limit)) !== '') {
        http_response_code(422);
        $result = notice('error', e($problem));
    } else {
        $bytes = (string) file_get_contents($file['tmp_name']);
        $image = @getimagesize($file['tmp_name']) ?: null;
        $type = IMAGES[$image[2] ?? 0] ?? null;
        $result = notice('good', 'It arrived whole. PHP looked at it and has thrown it away again.')
            . ($type === null ? '' : '<img class="preview" alt="The picture you sent" src="data:' . $type . ';base64,' . base64_encode($bytes) . '">')
            . facts([
                'Name' => $file['name'],
                'Size' => number_format(strlen($bytes)) . ' bytes',
                'Kind' => $type === null ? 'not a picture that can be shown' : "$type, $image[0] × $image[1]",
                'SHA-256' => hash('sha256', $bytes),
            ]);
    }
}

page_start('Upload', 'The gateway takes the whole file in before it asks PHP, so that a slow upload holds no worker.');
echo $result;
?>
<form method="post" action="/upload.php" enctype="multipart/form-data" class="stack">
  <?= token_field() ?>
  <label for="file">A file, best a picture</label>
  <input id="file" name="file" type="file" required aria-describedby="file-hint">
  <p class="hint" id="file-hint">At most <?= e($limit) ?>. PNG, JPEG, GIF and WebP are shown. Nothing is stored.</p>
  <button>Upload</button>
</form>
<?php
page_end();
