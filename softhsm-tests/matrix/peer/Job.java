import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** Job is one line of the manifest: an identifier, then name=value, separated by tabs. */
final class Job {
    private final String id;
    private final Map<String, String> values = new HashMap<>();

    Job(String line) {
        String[] fields = line.split("\t");
        id = fields[0];
        for (int i = 1; i < fields.length; ++i) {
            int equals = fields[i].indexOf('=');
            values.put(fields[i].substring(0, equals), fields[i].substring(equals + 1));
        }
    }

    String id() {
        return id;
    }

    /** has tells a value that is there and not empty. */
    boolean has(String name) {
        return !values.getOrDefault(name, "").isEmpty();
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) throw new IllegalArgumentException("the job lacks " + name);
        return value;
    }

    int number(String name) {
        return Integer.parseInt(text(name));
    }

    byte[] hex(String name) {
        return HexFormat.of().parseHex(text(name));
    }

    byte[] file(String name) throws IOException {
        return Files.readAllBytes(Path.of(text(name)));
    }

    void write(byte[] output) throws IOException {
        Files.write(Path.of(text("out")), output);
    }

    /** expect fails unless the content is that of the file "content". */
    void expect(byte[] content) throws IOException {
        if (!Arrays.equals(content, file("content"))) throw new IllegalStateException("other content than was put in");
    }

    X509Certificate certificate() throws IOException, GeneralSecurityException {
        return certificate("certificate");
    }

    X509Certificate certificate(String name) throws IOException, GeneralSecurityException {
        try (InputStream in = new FileInputStream(text(name))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(in);
        }
    }

    /** privateKey reads PKCS#8 in DER. */
    PrivateKey privateKey(String algorithm, String provider) throws IOException, GeneralSecurityException {
        return KeyFactory.getInstance(algorithm, provider).generatePrivate(new PKCS8EncodedKeySpec(file("key")));
    }
}
