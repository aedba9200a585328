#pragma once

namespace p11mime::cms::smime {

/// Form is how output is written: a mail or MIME entity, bare DER, or PEM.
enum class Form { smime, der, pem };

}  // namespace p11mime::cms::smime
