// npx fastcgi-pool serve examples/vite-site/public --dev --front-controller /index.php
export default {};
