import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/**
 * A server for tests that speaks MongoDB's protocol and keeps all in memory: HOST PORT [CERTIFICATE KEY]. Certificate
 * and key (of an elliptic curve, PKCS8) are PEM files.
 */
public class MongoServer {
    public static void main(String[] words) throws Exception {
        var server = new de.bwaldvogel.mongo.MongoServer(new MemoryBackend().version(new Version()));
        if (words.length > 2) {
            var factory = CertificateFactory.getInstance("X.509");
            var certificate = factory.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(words[2]))));
            var key = new PKCS8EncodedKeySpec(decoded(Path.of(words[3])));
            server.enableSsl(KeyFactory.getInstance("EC").generatePrivate(key), null, (X509Certificate) certificate);
        }
        server.bind(words[0], Integer.parseInt(words[1]));
    }

    /** What drivers of today ask for at least: MongoDB 4.4. */
    private static class Version implements MongoVersion {
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0, 0);
        }

        public int getWireVersion() {
            return 9;
        }
    }

    private static byte[] decoded(Path pem) throws Exception {
        return Base64.getMimeDecoder().decode(Files.readString(pem).replaceAll("-----[A-Z ]+-----", ""));
    }
}
