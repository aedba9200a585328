#pragma once

namespace p11mime::cms {

/// require_pem_end throws Error(malformed) with `what` and OpenSSL's reason unless the last of OpenSSL's functions that
/// read PEM found nothing because there was no more, and takes that off OpenSSL's error queue.
void require_pem_end(const char* what);

}  // namespace p11mime::cms
